import { URL } from "node:url";
import { unroute } from "../../base/origins.ts";
import type { World } from "../../base/world.ts";
import { type HttpRequest, type HttpResponse, shown } from "./transport.ts";

/**
 * Pure: the request that an answer redirects to, as long as it stays where the credentials may go.
 * Undefined for any other answer; a redirect elsewhere is an error further on.
 */
export function redirected(
  request: HttpRequest,
  { status, headers }: Pick<HttpResponse, "status" | "headers">,
  { origins }: Pick<World, "origins">,
): HttpRequest | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined)
    return undefined;
  if (!URL.canParse(headers.location, request.url)) return undefined;
  const url = unroute(new URL(headers.location, request.url).href, origins);
  if (new URL(url).origin !== new URL(request.url).origin) return undefined;
  // The address is the API's words, and may repeat the key: messages keep the one that we asked for.
  const target = { ...request, url, called: shown(request) };
  const keeps = status >= 307 || request.method === "GET";
  return keeps ? target : { ...target, method: "GET", body: undefined };
}
