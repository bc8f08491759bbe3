import { randomBytes } from "node:crypto";
import type { URL } from "node:url";
import type { HttpRequest } from "../http/transport.ts";

type Scalar = string | number | boolean;

export type ParamValue = Scalar | Scalar[];

/*
 * A secret may stand in a header, a parameter or a body. While a request is built, a seal stands in
 * its place. The authenticator replaces seals by values for the moment of sending.
 */

// Each process has a new stamp, so an API cannot send a seal. Encodings do not change it: it consists
// of letters and digits. Checkpoints never store a seal, because paginators add no secrets.
const stamp = randomBytes(16).toString("hex");

const seals = new RegExp(`${stamp}x((?:[0-9a-f]{2})*)x`, "g");

export const sealSecret = (name: string): string =>
  `${stamp}x${Buffer.from(name).toString("hex")}x`;

const isSealed = (text: string): boolean => text.includes(stamp);

/** A copy of the request with values for seals, each in the encoding of its place. */
export function unsealRequest(
  request: HttpRequest,
  revealSecret: (name: string) => string,
): HttpRequest {
  const { url, headers, body } = request;
  const unseal = (text: string, encode: (value: string) => string) =>
    isSealed(text)
      ? text.replace(seals, (_, hex) => encode(revealSecret(Buffer.from(hex, "hex").toString())))
      : text;
  return {
    ...request,
    url: unseal(url, encodeForForm),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, unseal(value, keepUnencoded)]),
    ),
    ...(body === undefined ? {} : { body: unseal(body, encoderFor(headers["content-type"])) }),
  };
}

const keepUnencoded = (value: string): string => value;

const encodeForForm = (value: string): string =>
  new URLSearchParams([["", value]]).toString().slice(1);

const encodeForJson = (value: string): string => JSON.stringify(value).slice(1, -1);

function encoderFor(contentType = ""): (value: string) => string {
  const [type = ""] = contentType.toLowerCase().split(";");
  if (type.endsWith("json")) return encodeForJson;
  return type === "application/x-www-form-urlencoded" ? encodeForForm : keepUnencoded;
}

/**
 * The request for an origin outside of the trusted ones: headers with secrets are left out. Undefined
 * where the URL or the body has a secret.
 */
export function dropSealedHeaders(request: HttpRequest): HttpRequest | undefined {
  const { url, headers, body = "" } = request;
  if (isSealed(url) || isSealed(body)) return undefined;
  const unsealedHeaders = Object.entries(headers).filter(([, value]) => !isSealed(value));
  return { ...request, headers: Object.fromEntries(unsealedHeaders) };
}

/** Takes the secrets out of a link in which an API repeats the parameters. */
export function emptySecretParams(url: URL, params: Record<string, ParamValue>): void {
  for (const [name] of sealedParams(url, params)) url.searchParams.set(name, "");
}

/** Puts the seals back into a link that `emptySecretParams` has emptied. */
export function sealSecretParams(url: URL, params: Record<string, ParamValue>): void {
  for (const [name, seal] of sealedParams(url, params)) url.searchParams.set(name, seal);
}

/** The resource's parameters with secrets, as far as the link repeats them. */
function sealedParams(url: URL, params: Record<string, ParamValue>): [string, string][] {
  return Object.entries(params).flatMap(([name, value]): [string, string][] => {
    const text = String([value].flat()[0]);
    return isSealed(text) && url.searchParams.has(name) ? [[name, text]] : [];
  });
}
