import type { IncrementalPlan, RequestPlan } from "../config/plan-types.ts";
import type { Cursor, PageRequest } from "../flow.ts";
import type { HttpRequest } from "./transport.ts";

/**
 * The request for a page: no credentials yet. `start` are the parameters with a run's start value;
 * a next link has them already.
 */
export function httpRequest(
  plan: RequestPlan,
  page: PageRequest,
  start: Record<string, string> = {},
): HttpRequest {
  const url = new URL(page.url ?? plan.url);
  const own = page.url === undefined ? { ...plan.params, ...start } : {};
  const params = { ...own, ...page.params };
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat()) url.searchParams.append(name, String(one));
  }
  const { contentType, body } = bodyOf(plan, page);
  const headers = contentType === undefined ? {} : { "content-type": contentType };
  const lowerCase = Object.entries(plan.headers).map(([name, value]) => [
    name.toLowerCase(),
    value,
  ]);
  return {
    method: plan.method,
    url: url.href,
    headers: { ...headers, ...Object.fromEntries(lowerCase) },
    body,
  };
}

/** What an incremental sends along. Without a start value a parameter has nothing to say. */
export function startParams(
  incremental: IncrementalPlan | undefined,
  start: Cursor,
): Record<string, string> {
  if (!incremental || start === null) return {};
  const filled = Object.entries(incremental.params).map(([name, around]) => [
    name,
    around.join(String(start)),
  ]);
  return Object.fromEntries(filled);
}

function bodyOf(
  { json, data }: RequestPlan,
  page: PageRequest,
): { contentType: string | undefined; body: string | undefined } {
  if (json !== undefined || page.body) {
    let body = json;
    for (const [path, value] of Object.entries(page.body ?? {})) {
      body = put(body, path.split("."), value);
    }
    return { contentType: "application/json", body: JSON.stringify(body) };
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
