import { Secret } from "../secrets/reference.ts";
import type {
  Credential,
  EndpointConfig,
  FormValue,
  ParamConfig,
  Scalar,
} from "./endpoint-types.ts";
import { incrementals, isIncrementalParam } from "./incremental.ts";
import { parsePath } from "./jsonpath.ts";
import type { ParamPlan, RequestPlan, Text } from "./plan-types.ts";
import type { SettledClient, SettledEndpoint } from "./settle.ts";
import { isDict } from "./spell.ts";
import {
  join,
  parseReference,
  parseSecrets,
  parseTemplate,
  type Reference,
  Template,
  texts,
} from "./templates.ts";

type Params = Record<string, ParamPlan>;

export function planRequest(client: SettledClient, endpoint: SettledEndpoint): RequestPlan {
  const { path, query } = bindPath(endpoint.path, planParams(endpoint));
  return {
    method: endpoint.method ?? "GET",
    url: joinUrl(client.base_url, path),
    origin: new URL(client.base_url).origin,
    allowedOrigins: (client.allowed_origins ?? []).map((url) => new URL(url).origin),
    params: query,
    headers: mergeHeaders(client.headers ?? {}, endpoint.headers ?? {}),
    json: templated(endpoint.json),
    data: planData(endpoint.data),
  };
}

/** A parameter that the path names goes into the path and leaves the query. */
function bindPath(template: string, params: Params): { path: Text; query: Params } {
  const query = { ...params };
  const path = texts(template, (name, found) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined) return parseReference(name, found);
    delete query[name];
    if (value instanceof Template) return value.whole ?? found;
    // A slash stays one, as in dlt; these two would end the path.
    return String(value).replace(/[?#]/g, encodeURIComponent);
  });
  return { path: join(path), query };
}

function joinUrl(base: string, path: Text): Text {
  const [first = ""] = typeof path === "string" ? [path] : path.parts;
  if (typeof first === "string" && /^https?:\/\//i.test(first)) return path;
  if (path === "") return base;
  const rest = typeof path === "string" ? [path] : path.parts;
  const start = typeof first === "string" ? [first.replace(/^\/+/, ""), ...rest.slice(1)] : rest;
  return join([`${base.replace(/(?<!\/)\/+$/, "")}/`, ...start]);
}

const incremental = (name: "start_value" | "end_value"): Template =>
  new Template([{ of: "incremental", name }]);

/** The query: what the config names, and the parameters that an incremental brings along. */
function planParams(endpoint: SettledEndpoint): Params {
  const query: Params = {};
  for (const [name, value] of Object.entries(endpoint.params ?? {})) {
    const planned = planParam(value);
    if (planned !== undefined) query[name] = planned;
  }
  const [found] = incrementals(endpoint);
  const { start_param, end_param } = {
    ...(found?.config as { start_param?: string; end_param?: string }),
  };
  if (start_param) query[start_param] = incremental("start_value");
  if (end_param) query[end_param] = incremental("end_value");
  return query;
}

function planParam(value: ParamConfig): ParamPlan | undefined {
  if (Array.isArray(value)) return value.flatMap((one) => (one == null ? [] : planScalar(one)));
  if (isScalar(value)) return planScalar(value);
  if (isIncrementalParam(value)) return incremental("start_value");
  if (isDict(value) && value.type === "resolve") return resolved(value);
  return undefined;
}

const planScalar = (value: Scalar | Secret) =>
  isText(value) ? parseTemplate(String(value)) : value;

const isScalar = (value: unknown): value is Scalar | Secret =>
  isText(value) || typeof value === "number" || typeof value === "boolean";

/** A secret is the text that refers to it. */
const isText = (value: unknown): value is string | Secret =>
  typeof value === "string" || value instanceof Secret;

function resolved({ resource, field }: { resource?: unknown; field?: unknown }): Template {
  const reference: Reference = {
    of: "parent",
    resource: String(resource),
    field: parsePath(String(field)),
  };
  return new Template([reference]);
}

/** The endpoint's header wins over the client's, however the two spell its name. */
function mergeHeaders(
  client: Record<string, Credential | null>,
  endpoint: Record<string, Credential | null>,
): [Text, Text][] {
  const merged = new Map<string, [Text, Text | null]>();
  for (const [name, value] of Object.entries(client)) {
    // These are never filled in, as in dlt.
    merged.set(name.toLowerCase(), [name, value == null ? null : parseSecrets(String(value))]);
  }
  for (const [name, value] of Object.entries(endpoint)) {
    const planned = value == null ? null : parseTemplate(String(value));
    merged.set(name.toLowerCase(), [parseTemplate(name), planned]);
  }
  const sent = (header: [Text, Text | null]): header is [Text, Text] => header[1] !== null;
  return [...merged.values()].filter(sent);
}

/** A copy with the texts parsed, however deep they stand. */
function templated(value: unknown): unknown {
  if (isText(value)) return parseTemplate(String(value));
  if (Array.isArray(value)) return value.map(templated);
  if (!isDict(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, templated(one)]));
}

function planData(data: Exclude<EndpointConfig["data"], null>): RequestPlan["data"] {
  if (data === undefined) return undefined;
  if (typeof data === "string") return parseTemplate(data);
  if (Array.isArray(data)) return data.map(([name, value]) => [name, parseTemplate(String(value))]);
  return Object.entries(data).flatMap(([name, value]) => formPairs(name, value));
}

function formPairs(name: string, value: FormValue): [string, Text][] {
  if (value === null) return [];
  return [value].flat().map((one) => [name, parseTemplate(String(one))]);
}
