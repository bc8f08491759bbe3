import type { PageRequest } from "../flow.ts";
import type { JsonValue } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { refillSecrets } from "./auth/sealed.ts";
import type { FilledRequest } from "./fill.ts";
import type { HttpRequest } from "./http/transport.ts";

/** The request for a page: no credentials yet. A next link has the resource's parameters already. */
export function httpRequest(plan: FilledRequest, page: PageRequest): HttpRequest {
  const url = new URL(page.url ?? plan.url);
  const own = page.url === undefined ? plan.params : {};
  if (page.url !== undefined) refillSecrets(url, plan.params);
  const params = { ...own, ...page.params };
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat()) url.searchParams.append(name, String(one));
  }
  const { contentType, body } = bodyOf(plan, page);
  const headers = contentType === undefined ? {} : { "content-type": contentType };
  const lowerCase = plan.headers.map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method: plan.method,
    url: url.href,
    headers: { ...headers, ...Object.fromEntries(lowerCase) },
    body,
  };
}

function bodyOf(
  { json, data }: FilledRequest,
  page: PageRequest,
): { contentType: string | undefined; body: string | undefined } {
  if (json !== undefined || page.body) {
    let body = json;
    for (const [path, value] of Object.entries(page.body ?? {})) {
      body = put(body, path.split("."), value);
    }
    return { contentType: "application/json", body: jsonText(body as JsonValue) };
  }
  if (data === undefined || typeof data === "string") return { contentType: undefined, body: data };
  const form = new URLSearchParams(data).toString();
  return { contentType: "application/x-www-form-urlencoded", body: form };
}

/** A copy of `target` with a value at a path; objects on the way are made as needed. */
function put(target: unknown, [name, ...rest]: string[], value: string | number): unknown {
  if (name === undefined) return value;
  const members: Record<string, unknown> =
    typeof target === "object" && target !== null ? { ...target } : {};
  return { ...members, [name]: put(members[name], rest, value) };
}
