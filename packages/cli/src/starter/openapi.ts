/*
 * Makes a config of an OpenAPI document (3.x, or Swagger 2.0): a resource for each list that can be
 * requested. Pure. What a document does not say is left out, and said in a note.
 */

/** A node of the document, whose shape nobody has checked. */
type Node = Record<string, unknown>;

export interface OpenapiSource {
  /** The config as JSON, with `{ "$secret": … }` for credentials. */
  config: Node;
  notes: string[];
}

export const isOpenapi = (document: unknown): document is Node =>
  isNode(document) && ("openapi" in document || "swagger" in document) && isNode(document.paths);

export function openapiToConfig(document: Node): OpenapiSource {
  const notes: string[] = [];
  const resources = findResources(document, notes);
  const auth = findAuth(document, notes);
  return { config: { client: { base_url: baseUrl(document, notes), ...auth }, resources }, notes };
}

function baseUrl(document: Node, notes: string[]): string {
  const [server] = listOf(document.servers);
  const { schemes, host, basePath } = document;
  const scheme = listOf(schemes).includes("http") && !listOf(schemes).includes("https");
  const url = isNode(server)
    ? withDefaults(String(server.url), server.variables)
    : `${scheme ? "http" : "https"}://${host}${basePath ?? ""}`;
  if (/^https?:\/\/[^/{}]+\.?[^{}]*$/.test(url) && (server || host)) return url;
  notes.push(`the document names no whole address (${url}): write the API's into base_url`);
  return "https://api.example.com";
}

/** `https://{region}.example.com` with the defaults of its variables. */
const withDefaults = (url: string, variables: unknown): string =>
  url.replace(/\{(\w+)\}/g, (text, name) => {
    const variable = isNode(variables) ? variables[name] : undefined;
    return isNode(variable) && variable.default !== undefined ? String(variable.default) : text;
  });

interface List {
  path: string;
  /** Where the records stand in the answer: `$` or a member's path. */
  selector: string;
  record: Node;
  answer: Node;
  parameters: Node[];
}

function findResources(document: Node, notes: string[]): Node[] {
  const lists = Object.keys(document.paths as Node).flatMap(
    (path) => findList(document, path) ?? [],
  );
  const names = new Map<string, string>();
  return lists.flatMap((list) => {
    const name = freeName(list.path, new Set(names.values()));
    const target = fillPath(list, lists, names);
    if (typeof target !== "string") {
      notes.push(`${list.path} is left out: nothing here gives its ${target.missing}`);
      return [];
    }
    const params = requiredParams(list);
    if ("missing" in params) {
      notes.push(`${list.path} is left out: its parameter ${params.missing} needs a value`);
      return [];
    }
    names.set(list.path, name);
    return [resourceOf(list, { name, path: target, params })];
  });
}

function resourceOf(
  list: List,
  { name, path, params }: { name: string; path: string; params: Node },
): Node {
  const key = primaryKey(list.record);
  const paginator = findPaginator(list);
  return {
    name,
    ...(key ? { primary_key: key, write_disposition: "merge" } : { write_disposition: "replace" }),
    endpoint: {
      path,
      ...(Object.keys(params).length > 0 ? { params } : {}),
      data_selector: list.selector,
      ...(paginator ? { paginator } : {}),
    },
  };
}

/** The GET of a path, if it answers with a list of records. */
function findList(document: Node, path: string): List | undefined {
  const item = follow(document, (document.paths as Node)[path]);
  const operation = follow(document, item.get);
  const answer = answerSchema(document, operation);
  const records = answer && findRecords(document, answer);
  if (!answer || !records) return undefined;
  const parameters = [...listOf(item.parameters), ...listOf(operation.parameters)];
  return { path, answer, ...records, parameters: parameters.map((one) => follow(document, one)) };
}

function answerSchema(document: Node, operation: Node): Node | undefined {
  const responses = follow(document, operation.responses);
  const code = Object.keys(responses).find((status) => /^2/.test(status));
  const response = follow(document, code === undefined ? undefined : responses[code]);
  if (isNode(response.schema)) return flatten(document, response.schema);
  const content = follow(document, response.content);
  const type = Object.keys(content).find((name) => /json/.test(name));
  const media = follow(document, type === undefined ? undefined : content[type]);
  return isNode(media.schema) ? flatten(document, media.schema) : undefined;
}

/** Members that usually hold the records, the best first. */
const listNames = ["data", "items", "results", "records", "values", "entries", "list", "content"];

function findRecords(document: Node, schema: Node): { selector: string; record: Node } | undefined {
  const record = recordOf(document, schema);
  if (record) return { selector: "$", record };
  const properties = isNode(schema.properties) ? schema.properties : {};
  const found = Object.keys(properties).flatMap((name) => {
    const inner = recordOf(document, flatten(document, properties[name]));
    return inner ? [{ selector: name, record: inner }] : [];
  });
  const named = found.find(({ selector }) => listNames.includes(selector));
  return named ?? (found.length === 1 ? found[0] : undefined);
}

function recordOf(document: Node, schema: Node): Node | undefined {
  if (schema.type !== "array" && !("items" in schema)) return undefined;
  const record = flatten(document, schema.items);
  return record.type === "object" || isNode(record.properties) ? record : undefined;
}

/** `/v2/tickets/{id}/comments` becomes `tickets_comments` where `comments` is taken. */
function freeName(path: string, taken: ReadonlySet<string>): string {
  const words = path
    .split("/")
    .filter(
      (part) => part !== "" && !part.includes("{") && !/^(api|rest|v\d+(\.\d+)?)$/i.test(part),
    )
    .map((part) =>
      part
        .replace(/\.json$/, "")
        .replace(/\W+/g, "_")
        .toLowerCase(),
    );
  for (let count = 1; count <= words.length; count++) {
    const name = words.slice(-count).join("_");
    if (/^[a-z]/.test(name) && !taken.has(name)) return name;
  }
  let number = 2;
  while (taken.has(`resource_${number}`)) number++;
  return `resource_${number}`;
}

/** Fills `{ticket_id}` from the list that the path goes through, or names what cannot be filled. */
function fillPath(
  { path }: List,
  lists: readonly List[],
  names: ReadonlyMap<string, string>,
): string | { missing: string } {
  const placeholders = [...path.matchAll(/\{([^{}]+)\}/g)];
  const [first, second] = placeholders;
  if (!first) return path.replace(/^\//, "");
  if (second) return { missing: second[1] as string };
  const above = path.slice(0, first.index).replace(/\/$/, "");
  const parent = lists.find((list) => list.path.replace(/\/$/, "") === above);
  const parentName = parent && names.get(parent.path);
  const key = parent && primaryKey(parent.record);
  if (!parentName || !key) return { missing: first[1] as string };
  return path.replace(first[0], `{resources.${parentName}.${key}}`).replace(/^\//, "");
}

/** Parameters that the API insists on, with the value that the document gives for them. */
function requiredParams({ parameters }: List): Node {
  const params: Node = {};
  for (const parameter of parameters) {
    if (parameter.in !== "query" || parameter.required !== true) continue;
    const schema = isNode(parameter.schema) ? parameter.schema : parameter;
    const [choice] = listOf(schema.enum);
    const value = schema.default ?? parameter.example ?? schema.example ?? choice;
    if (value === undefined) return { missing: String(parameter.name) };
    params[String(parameter.name)] = value;
  }
  return params;
}

function primaryKey({ properties }: Node): string | undefined {
  const names = isNode(properties) ? Object.keys(properties) : [];
  return ["id", "uuid", "key", "guid", "sys_id", "slug"].find((name) => names.includes(name));
}

/** A paginator where parameters and answer show one; otherwise the first page will. */
function findPaginator({ parameters, answer }: List): Node | undefined {
  const query = parameters.filter((parameter) => parameter.in === "query");
  const find = (...names: string[]) => query.find(({ name }) => names.includes(String(name)));
  const properties = isNode(answer.properties) ? Object.keys(answer.properties) : [];
  const cursorPath = properties.find((name) => /^next_?(cursor|page_?token|token)$/i.test(name));
  const cursor = find("cursor", "page_token", "pageToken", "next_token", "after", "starting_after");
  if (cursorPath && cursor) {
    return { type: "cursor", cursor_path: cursorPath, cursor_param: cursor.name };
  }
  const next = properties.find((name) => /^next(_url|_page_url|Link)?$/i.test(name));
  if (next) return { type: "json_link", next_url_path: next };
  const offset = find("offset", "skip", "startAt");
  const limit = find("limit", "per_page", "page_size", "pageSize", "count", "maxResults");
  if (offset && limit) return offsetPaginator(offset, limit);
  const page = find("page", "page_number", "pageNumber");
  return page && { type: "page_number", base_page: 1, page_param: page.name, total_path: null };
}

function offsetPaginator(offset: Node, limit: Node): Node {
  const schema = isNode(limit.schema) ? limit.schema : limit;
  const size = Number(schema.maximum ?? schema.default ?? 100);
  return {
    type: "offset",
    limit: Math.min(Number.isSafeInteger(size) && size > 0 ? size : 100, 1000),
    ...(offset.name === "offset" ? {} : { offset_param: offset.name }),
    ...(limit.name === "limit" ? {} : { limit_param: limit.name }),
    total_path: null,
  };
}

const secret = (name: string): Node => ({ $secret: name });

/** The credentials of the first security scheme that a config can express. */
function findAuth(document: Node, notes: string[]): Node {
  const components = isNode(document.components) ? document.components : {};
  const schemes = components.securitySchemes ?? document.securityDefinitions;
  const found = Object.values(isNode(schemes) ? schemes : {}).map((one) => follow(document, one));
  for (const scheme of found) {
    const auth = authOf(scheme);
    if (auth) return { auth };
  }
  if (found.length > 0) notes.push("its way to sign in has no counterpart here: write client.auth");
  return {};
}

function authOf(scheme: Node): Node | undefined {
  const kind = scheme.type === "http" ? String(scheme.scheme).toLowerCase() : scheme.type;
  switch (kind) {
    case "bearer":
      return { type: "bearer", token: secret("token") };
    case "basic":
      return { type: "http_basic", username: secret("username"), password: secret("password") };
    case "apiKey":
      if (scheme.in !== "header" && scheme.in !== "query") return undefined;
      return {
        type: "api_key",
        name: scheme.name,
        api_key: secret("api_key"),
        location: scheme.in,
      };
    case "oauth2":
      return clientCredentials(scheme);
    default:
      return undefined;
  }
}

function clientCredentials({ flows, flow, tokenUrl }: Node): Node | undefined {
  const stated = isNode(flows) ? flows.clientCredentials : undefined;
  const url = isNode(stated) ? stated.tokenUrl : flow === "application" ? tokenUrl : undefined;
  if (typeof url !== "string" || !URL.canParse(url)) return undefined;
  return {
    type: "oauth2_client_credentials",
    access_token_url: url,
    client_id: secret("client_id"),
    client_secret: secret("client_secret"),
  };
}

/** Follows `$ref`s inside the document; an empty node where one leads nowhere. */
function follow(document: Node, node: unknown): Node {
  let current = node;
  for (let step = 0; isNode(current) && typeof current.$ref === "string"; step++) {
    if (step === 20 || !current.$ref.startsWith("#/")) return {};
    const names = current.$ref.slice(2).split("/");
    current = names
      .map((name) => decodeURIComponent(name.replaceAll("~1", "/").replaceAll("~0", "~")))
      .reduce<unknown>((at, name) => (isNode(at) ? at[name] : undefined), document);
  }
  return isNode(current) ? current : {};
}

/** A schema with the members of all its `allOf`, or of the first choice of `oneOf` and `anyOf`. */
function flatten(document: Node, node: unknown, depth = 0): Node {
  const schema = follow(document, node);
  if (depth > 10) return schema;
  const [choice] = [...listOf(schema.oneOf), ...listOf(schema.anyOf)];
  let whole = schema;
  for (const part of [...listOf(schema.allOf), ...(choice === undefined ? [] : [choice])]) {
    const flat = flatten(document, part, depth + 1);
    const properties = { ...Object(whole.properties), ...Object(flat.properties) };
    const hasProperties = Object.keys(properties).length > 0;
    whole = { ...flat, ...whole, ...(hasProperties ? { properties } : {}) };
  }
  return whole;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
