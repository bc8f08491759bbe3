import { randomBytes } from "node:crypto";
import type { URL } from "node:url";
import type { HttpRequest } from "../http/transport.ts";

type Scalar = string | number | boolean;

export type ParamValue = Scalar | Scalar[];

/*
 * A secret in a header, a parameter or a body: while a request is being built a seal stands in its
 * place, and the authenticator puts the value there for the moment of sending.
 */

// New for each process, so that nothing an API sends can be one. Letters and digits, so that no
// encoding changes it. A checkpoint never has one: it stores what a paginator adds to a request.
const stamp = randomBytes(16).toString("hex");

const seals = new RegExp(`${stamp}x((?:[0-9a-f]{2})*)x`, "g");

export const sealed = (name: string): string => `${stamp}x${Buffer.from(name).toString("hex")}x`;

const isSealed = (text: string): boolean => text.includes(stamp);

type Reveal = (name: string) => string;

/** A copy with the values, encoded as their place asks for. */
export function unsealed(request: HttpRequest, reveal: Reveal): HttpRequest {
  const { url, headers, body } = request;
  const put = (text: string, encode: (value: string) => string) =>
    isSealed(text)
      ? text.replace(seals, (_, hex) => encode(reveal(Buffer.from(hex, "hex").toString())))
      : text;
  return {
    ...request,
    url: put(url, formEncoded),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, put(value, asIs)]),
    ),
    ...(body === undefined ? {} : { body: put(body, encoderOf(headers["content-type"])) }),
  };
}

const asIs = (value: string): string => value;

const formEncoded = (value: string): string =>
  new URLSearchParams([["", value]]).toString().slice(1);

const jsonEncoded = (value: string): string => JSON.stringify(value).slice(1, -1);

function encoderOf(contentType = ""): (value: string) => string {
  const [type = ""] = contentType.toLowerCase().split(";");
  if (type.endsWith("json")) return jsonEncoded;
  return type === "application/x-www-form-urlencoded" ? formEncoded : asIs;
}

/** For an origin that no secret may go to: without the headers that have one. */
export function withoutSecrets(request: HttpRequest): HttpRequest | undefined {
  const { url, headers, body = "" } = request;
  if (isSealed(url) || isSealed(body)) return undefined;
  const open = Object.entries(headers).filter(([, value]) => !isSealed(value));
  return { ...request, headers: Object.fromEntries(open) };
}

/** Takes the secrets out of a link in which an API repeats the parameters. */
export function emptySecrets(url: URL, params: Record<string, ParamValue>): void {
  for (const [name] of secretsIn(url, params)) url.searchParams.set(name, "");
}

/** Puts them back where they were. */
export function refillSecrets(url: URL, params: Record<string, ParamValue>): void {
  for (const [name, value] of secretsIn(url, params)) url.searchParams.set(name, value);
}

function secretsIn(url: URL, params: Record<string, ParamValue>): [string, string][] {
  return Object.entries(params).flatMap(([name, value]): [string, string][] => {
    const text = String([value].flat()[0]);
    return isSealed(text) && url.searchParams.has(name) ? [[name, text]] : [];
  });
}
