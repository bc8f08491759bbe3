import { URL } from "node:url";
import { unrouteUrl } from "../../base/origins.ts";
import type { World } from "../../base/world.ts";
import { describeRequest, type HttpRequest, type HttpResponse } from "./transport.ts";

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Pure: the request that an answer redirects to. Undefined for any other answer. A redirect to another
 * origin, where the credentials may not go, is left to `readAnswer`, which throws.
 */
export function redirectedRequest(
  request: HttpRequest,
  { status, headers }: Pick<HttpResponse, "status" | "headers">,
  { origins }: Pick<World, "origins">,
): HttpRequest | undefined {
  if (!REDIRECT_STATUSES.has(status) || headers.location === undefined) return undefined;
  if (!URL.canParse(headers.location, request.url)) return undefined;
  const url = unrouteUrl(new URL(headers.location, request.url).href, origins);
  if (new URL(url).origin !== new URL(request.url).origin) return undefined;
  // Messages keep the first address: the API may have put the key into the new one.
  const target = { ...request, url, shownAs: describeRequest(request) };
  const keepsMethod = status >= 307 || request.method === "GET";
  return keepsMethod ? target : { ...target, method: "GET", body: undefined };
}
