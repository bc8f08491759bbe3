import { URL } from "node:url";
import { ConfigError } from "./errors.ts";

/** What local mode says of a source: where its requests go instead. */
export interface LocalOrigin {
  override: string | undefined;
  dynamodbEndpoint: string | undefined;
}

/**
 * Local mode's one special case: the example host of a config stands for the sample API. Refused
 * unless DynamoDB is on this machine too, so that no setting can send a deployed source's
 * credentials to another host.
 *
 * @example originMap({ baseUrl: "https://api.example.com/v1", override: "http://127.0.0.1:4010", dynamodbEndpoint: "http://127.0.0.1:8000" })
 */
export function originMap({
  baseUrl,
  override,
  dynamodbEndpoint,
}: LocalOrigin & { baseUrl: string }): ReadonlyMap<string, string> {
  if (override === undefined) return new Map();
  if (!isLoopback(dynamodbEndpoint)) {
    throw new ConfigError({
      code: "config.origin",
      message: "an origin override works only with a local DynamoDB endpoint",
      hint: "remove the TIDETABLE_ORIGIN_… variable of this source",
    });
  }
  if (!URL.canParse(override)) {
    throw new ConfigError({
      code: "config.origin",
      message: "an origin override is not a URL",
      hint: "write it like http://127.0.0.1:4010",
    });
  }
  return new Map([[new URL(baseUrl).origin, new URL(override).origin]]);
}

/** Where a request really goes. */
export function route(url: string, origins: ReadonlyMap<string, string>): URL {
  const { origin, pathname, search } = new URL(url);
  // By concatenation: as a relative reference, a path of `//host` would name another host.
  return new URL(`${origins.get(origin) ?? origin}${pathname}${search}`);
}

/** The other way: where the config says a URL is. */
export function unroute(url: string, origins: ReadonlyMap<string, string>): string {
  const { origin, pathname, search } = new URL(url);
  for (const [from, to] of origins) if (to === origin) return `${from}${pathname}${search}`;
  return url;
}

/** Whether an endpoint is on this machine. */
export function isLoopback(endpoint: string | undefined): boolean {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false;
  const { hostname } = new URL(endpoint);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
