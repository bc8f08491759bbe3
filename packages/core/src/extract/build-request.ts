import type { JsonValue } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { sealSecretParams } from "./auth/sealed.ts";
import type { FilledRequest } from "./fill-request.ts";
import type { HttpRequest } from "./http/transport.ts";
import type { PageRequest } from "./paging/page-request.ts";

/** The request for a page, without credentials. A next link has the resource's parameters already. */
export function buildHttpRequest(filled: FilledRequest, page: PageRequest): HttpRequest {
  const url = new URL(page.url ?? filled.url);
  if (page.url !== undefined) sealSecretParams(url, filled.params);
  const params = { ...(page.url === undefined ? filled.params : {}), ...page.params };
  for (const [name, value] of Object.entries(params)) {
    for (const scalar of [value].flat()) url.searchParams.append(name, String(scalar));
  }
  const { contentType, body } = buildBody(filled, page);
  const defaults = contentType === undefined ? {} : { "content-type": contentType };
  const configured = filled.headers.map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method: filled.method,
    url: url.href,
    headers: { ...defaults, ...Object.fromEntries(configured) },
    body,
  };
}

function buildBody(
  { json, data }: FilledRequest,
  page: PageRequest,
): { contentType: string | undefined; body: string | undefined } {
  if (json !== undefined || page.body) {
    let body = json;
    for (const [path, value] of Object.entries(page.body ?? {})) {
      body = withValueAt(body, path.split("."), value);
    }
    return { contentType: "application/json", body: jsonText(body as JsonValue) };
  }
  if (data === undefined || typeof data === "string") return { contentType: undefined, body: data };
  const form = new URLSearchParams(data).toString();
  return { contentType: "application/x-www-form-urlencoded", body: form };
}

/** A copy of `target` with a value at a path. Objects on the way are made as needed. */
function withValueAt(target: unknown, [name, ...path]: string[], value: string | number): unknown {
  if (name === undefined) return value;
  const members: Record<string, unknown> =
    typeof target === "object" && target !== null ? { ...target } : {};
  return { ...members, [name]: withValueAt(members[name], path, value) };
}
