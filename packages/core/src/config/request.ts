import { Secret } from "../secrets/reference.ts";
import { isDict } from "./dict.ts";
import type {
  Credential,
  EndpointConfig,
  FormValue,
  ParamConfig,
  Scalar,
} from "./endpoint-types.ts";
import { findIncrementals, isIncrementalParam } from "./incremental.ts";
import { parseJsonPath } from "./jsonpath.ts";
import type { ParamPlan, RequestPlan, TemplateText } from "./plan-types.ts";
import type { SettledClient, SettledEndpoint } from "./settle.ts";
import {
  joinParts,
  parseReference,
  parseSecretReferences,
  parseTemplate,
  splitTemplate,
  Template,
  type TemplateReference,
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
    json: parseTemplates(endpoint.json),
    data: planData(endpoint.data),
  };
}

/** A parameter that the path names goes into the path and leaves the query. */
function bindPath(template: string, params: Params): { path: TemplateText; query: Params } {
  const query = { ...params };
  const parts = splitTemplate(template, (name, written) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined) return parseReference(name, written);
    delete query[name];
    if (value instanceof Template) return value.whole ?? written;
    // As in dlt, a slash in a value is a slash in the path; ? and # would end the path.
    return String(value).replace(/[?#]/g, encodeURIComponent);
  });
  return { path: joinParts(parts), query };
}

function joinUrl(baseUrl: string, path: TemplateText): TemplateText {
  if (path === "") return baseUrl;
  const [first = "", ...rest] = typeof path === "string" ? [path] : path.parts;
  if (typeof first !== "string") return joinParts([withSlash(baseUrl), first, ...rest]);
  if (/^https?:\/\//i.test(first)) return path;
  return joinParts([withSlash(baseUrl), first.replace(/^\/+/, ""), ...rest]);
}

const withSlash = (baseUrl: string): string => `${baseUrl.replace(/(?<!\/)\/+$/, "")}/`;

const incrementalTemplate = (name: "start_value" | "end_value"): Template =>
  new Template([{ of: "incremental", name }]);

/** The query has the config's parameters and those that an incremental adds. */
function planParams(endpoint: SettledEndpoint): Params {
  const query: Params = {};
  for (const [name, value] of Object.entries(endpoint.params ?? {})) {
    const param = planParam(value);
    if (param !== undefined) query[name] = param;
  }
  const [incremental] = findIncrementals(endpoint);
  const { start_param, end_param } = {
    ...(incremental?.config as { start_param?: string; end_param?: string }),
  };
  if (start_param) query[start_param] = incrementalTemplate("start_value");
  if (end_param) query[end_param] = incrementalTemplate("end_value");
  return query;
}

function planParam(value: ParamConfig): ParamPlan | undefined {
  if (Array.isArray(value)) {
    return value.flatMap((element) => (element == null ? [] : planScalar(element)));
  }
  if (isScalar(value)) return planScalar(value);
  if (isIncrementalParam(value)) return incrementalTemplate("start_value");
  if (isDict(value) && value.type === "resolve") return parentTemplate(value);
  return undefined;
}

const planScalar = (value: Scalar | Secret) =>
  isStringLike(value) ? parseTemplate(String(value)) : value;

const isScalar = (value: unknown): value is Scalar | Secret =>
  isStringLike(value) || typeof value === "number" || typeof value === "boolean";

/** The string of a Secret is a reference, which parses like any template. */
const isStringLike = (value: unknown): value is string | Secret =>
  typeof value === "string" || value instanceof Secret;

function parentTemplate({ resource, field }: { resource?: unknown; field?: unknown }): Template {
  const reference: TemplateReference = {
    of: "parent",
    resource: String(resource),
    field: parseJsonPath(String(field)),
  };
  return new Template([reference]);
}

/** The endpoint's header wins over the client's, whatever the case of their names. */
function mergeHeaders(
  client: Record<string, Credential | null>,
  endpoint: Record<string, Credential | null>,
): [TemplateText, TemplateText][] {
  const headers = new Map<string, [TemplateText, TemplateText | null]>();
  for (const [name, value] of Object.entries(client)) {
    // As in dlt, the client's headers are not filled in: only secrets are.
    const planned = value == null ? null : parseSecretReferences(String(value));
    headers.set(name.toLowerCase(), [name, planned]);
  }
  for (const [name, value] of Object.entries(endpoint)) {
    const planned = value == null ? null : parseTemplate(String(value));
    headers.set(name.toLowerCase(), [parseTemplate(name), planned]);
  }
  return [...headers.values()].filter(isSent);
}

const isSent = (
  header: [TemplateText, TemplateText | null],
): header is [TemplateText, TemplateText] => header[1] !== null;

/** Copies a value with its strings parsed, at any depth. */
function parseTemplates(value: unknown): unknown {
  if (isStringLike(value)) return parseTemplate(String(value));
  if (Array.isArray(value)) return value.map(parseTemplates);
  if (!isDict(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, parseTemplates(member)]),
  );
}

function planData(data: Exclude<EndpointConfig["data"], null>): RequestPlan["data"] {
  if (data === undefined) return undefined;
  if (typeof data === "string") return parseTemplate(data);
  if (Array.isArray(data)) return data.map(([name, value]) => [name, parseTemplate(String(value))]);
  return Object.entries(data).flatMap(([name, value]) => formPairs(name, value));
}

function formPairs(name: string, value: FormValue): [string, TemplateText][] {
  if (value === null) return [];
  return [value].flat().map((element) => [name, parseTemplate(String(element))]);
}
