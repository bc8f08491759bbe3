import { URL } from "node:url";
import { ConfigError } from "./errors.ts";

/** The settings by which local mode sends a source's requests to the sample API. */
export interface LocalOrigin {
  override: string | undefined;
  dynamodbEndpoint: string | undefined;
}

/**
 * Maps the example host of a config to the sample API in local mode. An override is refused unless
 * DynamoDB is on this machine too, so that no setting can send a deployed source's credentials to
 * another host.
 *
 * @example mapOrigins({ baseUrl: "https://api.example.com/v1", override: "http://127.0.0.1:4010", dynamodbEndpoint: "http://127.0.0.1:8000" })
 */
export function mapOrigins({
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

/** Replaces the origin of a URL by the origin that its requests really go to. */
export function routeUrl(url: string, origins: ReadonlyMap<string, string>): URL {
  const { origin, pathname, search } = new URL(url);
  // Joined as strings, because a path of `//host` in a relative reference would name another host.
  return new URL(`${origins.get(origin) ?? origin}${pathname}${search}`);
}

/** Restores the origin that the config names. */
export function unrouteUrl(url: string, origins: ReadonlyMap<string, string>): string {
  const { origin, pathname, search } = new URL(url);
  for (const [from, to] of origins) if (to === origin) return `${from}${pathname}${search}`;
  return url;
}

/** Says whether an endpoint is on this machine. */
export function isLoopback(endpoint: string | undefined): boolean {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false;
  const { hostname } = new URL(endpoint);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
