import type { EndpointConfig, FormValue, ParamConfig, Scalar } from "./endpoint-types.ts";
import { takesStart } from "./incremental.ts";
import type { ParamValue, RequestPlan } from "./plan-types.ts";
import type { SettledClient, SettledEndpoint } from "./settle.ts";

/** `{{`, `}}` or `{name}`. */
const brace = /\{\{|\}\}|\{([^{}]+)\}/g;

export function planRequest(client: SettledClient, endpoint: SettledEndpoint): RequestPlan {
  const { path, query } = bindPath(endpoint.path, planParams(endpoint.params ?? {}));
  return {
    method: endpoint.method ?? "GET",
    url: joinUrl(client.base_url, path),
    origin: new URL(client.base_url).origin,
    params: query,
    headers: mergeHeaders(client.headers ?? {}, endpoint.headers ?? {}),
    json: endpoint.json,
    data: planData(endpoint.data),
  };
}

/** The names in a path's `{…}`. */
export function placeholders(path: string): string[] {
  return [...path.matchAll(brace)].flatMap(([, name]) => name ?? []);
}

/** A parameter that the path names goes into the path and leaves the query. */
function bindPath(template: string, params: Record<string, ParamValue>) {
  const query = { ...params };
  const path = template.replace(brace, (found, name: string | undefined) => {
    if (name === undefined) return found.slice(1);
    delete query[name];
    // A slash stays one, as in dlt; these two would end the path.
    return String(params[name]).replace(/[?#]/g, encodeURIComponent);
  });
  return { path, query };
}

function joinUrl(base: string, path: string): string {
  if (/^https?:\/\//i.test(path)) return path;
  if (path === "") return base;
  return `${base.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
}

function planParams(params: Record<string, ParamConfig>): Record<string, ParamValue> {
  const query: Record<string, ParamValue> = {};
  for (const [name, value] of Object.entries(params)) {
    if (takesStart(value)) continue;
    if (Array.isArray(value)) query[name] = value.filter((one) => one !== null);
    else if (isScalar(value)) query[name] = value;
  }
  return query;
}

const isScalar = (value: unknown): value is Scalar =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

/** The endpoint's header wins over the client's, however the two spell its name. */
function mergeHeaders(
  client: Record<string, string | null>,
  endpoint: Record<string, string | null>,
): Record<string, string> {
  const merged = new Map<string, [string, string | null]>();
  for (const header of [...Object.entries(client), ...Object.entries(endpoint)]) {
    merged.set(header[0].toLowerCase(), header);
  }
  return Object.fromEntries(
    [...merged.values()].filter((header): header is [string, string] => header[1] !== null),
  );
}

function planData(data: Exclude<EndpointConfig["data"], null>): RequestPlan["data"] {
  if (data === undefined || typeof data === "string" || Array.isArray(data)) return data;
  return Object.entries(data).flatMap(([name, value]) => formPairs(name, value));
}

function formPairs(name: string, value: FormValue): [string, string][] {
  if (value === null) return [];
  return [value].flat().map((one) => [name, String(one)]);
}
