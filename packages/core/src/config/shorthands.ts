import type { Problem } from "../base/errors.ts";
import { type Dict, isDict, stringOrEmpty } from "./dict.ts";

/*
 * Aliases and shorthands become the single spelling that the schema and the plan know. Each part is
 * rewritten in place, and the path that the user wrote is kept for messages. Values without a
 * meaning pass through unchanged, and `validate` reports them.
 */

interface ExpandedConfig {
  config: unknown;
  /** The path that the user wrote, by the path in `config`, where the two differ. */
  writtenPaths: Map<string, string>;
  problems: Problem[];
}

type Notes = Pick<ExpandedConfig, "writtenPaths" | "problems">;

type Expander = (value: unknown, path: string, notes: Notes) => unknown;

export function expandShorthands(config: unknown): ExpandedConfig {
  const notes: Notes = { writtenPaths: new Map(), problems: [] };
  return { config: expandSource(config, "", notes), ...notes };
}

const inSequence =
  (...expanders: Expander[]): Expander =>
  (value, path, notes) =>
    expanders.reduce((expanded, expand) => expand(expanded, path, notes), value);

const expandMembers =
  (expanders: Record<string, Expander>): Expander =>
  (value, path, notes) => {
    if (!isDict(value)) return value;
    const expanded = { ...value };
    for (const [key, expand] of Object.entries(expanders)) {
      const memberPath = path === "" ? key : `${path}.${key}`;
      if (value[key] != null) expanded[key] = expand(value[key], memberPath, notes);
    }
    return expanded;
  };

const expandElements =
  (expand: Expander): Expander =>
  (value, path, notes) =>
    Array.isArray(value)
      ? value.map((element, index) => expand(element, `${path}[${index}]`, notes))
      : value;

/** A bare string stands for a dict with this one key. */
const expandString =
  (key: string): Expander =>
  (value, path, notes) => {
    if (typeof value !== "string") return value;
    notes.writtenPaths.set(`${path}.${key}`, path);
    return { [key]: value };
  };

const replaceAlias =
  (wordByAlias: Record<string, string>): Expander =>
  (value) =>
    typeof value === "string" && Object.hasOwn(wordByAlias, value) ? wordByAlias[value] : value;

const upperCase: Expander = (value) => (typeof value === "string" ? value.toUpperCase() : value);

const defaultToBearer: Expander = (value) =>
  isDict(value) && value.type == null ? { ...value, type: "bearer" } : value;

const expandOauth2: Expander = (value, path, notes) => {
  const types = ["oauth2_client_credentials", "oauth2_refresh_token"];
  if (!isDict(value) || !types.includes(stringOrEmpty(value.type))) return value;
  const { token_url, scope, scopes, ...auth } = value;
  const urls = { access_token_url: auth.access_token_url, token_url };
  const url = takeSingleValue(urls, path, "access_token_url", notes);
  if (url !== undefined) auth.access_token_url = url;

  const requestData = auth.access_token_request_data ?? {};
  if (!isDict(requestData)) return auth;
  const spellings = { "access_token_request_data.scope": requestData.scope, scope, scopes };
  const writtenScope = takeSingleValue(spellings, path, "access_token_request_data.scope", notes);
  if (writtenScope === undefined) return auth;
  const joinedScope = Array.isArray(writtenScope) ? writtenScope.join(" ") : writtenScope;
  return { ...auth, access_token_request_data: { ...requestData, scope: joinedScope } };
};

/** The value under any of several names for the same key. More than one value is a problem. */
function takeSingleValue(valueByName: Dict, path: string, key: string, notes: Notes): unknown {
  const [first, second] = Object.entries(valueByName).filter(([, value]) => value != null);
  if (first === undefined) return undefined;
  if (second !== undefined) {
    notes.problems.push({
      path: `${path}.${second[0]}`,
      message: `"${first[0]}" and "${second[0]}" are two names of the same thing`,
      hint: "keep one of them",
    });
  }
  notes.writtenPaths.set(`${path}.${key}`, `${path}.${first[0]}`);
  return first[1];
}

const expandAuth = inSequence(
  expandString("type"),
  defaultToBearer,
  expandMembers({
    type: replaceAlias({ oauth2: "oauth2_client_credentials" }),
    location: replaceAlias({ param: "query" }),
  }),
  expandOauth2,
);

/** As in dlt, an empty path is none: no total is looked for. */
const emptyTotalToNull: Expander = (value) =>
  isDict(value) && value.total_path === "" ? { ...value, total_path: null } : value;

const expandPaginator = inSequence(
  expandString("type"),
  emptyTotalToNull,
  expandMembers({ type: replaceAlias({ json_response: "json_link" }) }),
);

const expandEndpoint = expandMembers({
  method: upperCase,
  auth: expandAuth,
  paginator: expandPaginator,
});

/** Hints such as `x-annotation` are the user's own, and dlt hands them on. */
const dropOwnHints = (value: unknown): unknown =>
  isDict(value)
    ? Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("x-")))
    : value;

const expandColumns: Expander = (value) => {
  if (Array.isArray(value)) return value.map(dropOwnHints);
  if (!isDict(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, column]) => [name, dropOwnHints(column)]),
  );
};

const expandDisposition = expandString("disposition");

const expandSource = expandMembers({
  client: expandMembers({ auth: expandAuth, paginator: expandPaginator }),
  resource_defaults: expandMembers({
    write_disposition: expandDisposition,
    columns: expandColumns,
    endpoint: expandEndpoint,
  }),
  resources: expandElements(
    inSequence(
      expandString("name"),
      expandMembers({
        write_disposition: expandDisposition,
        columns: expandColumns,
        endpoint: inSequence(expandString("path"), expandEndpoint),
      }),
    ),
  ),
});
