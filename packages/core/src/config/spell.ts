import type { Problem } from "../base/errors.ts";
import { Secret } from "../secrets/reference.ts";

/*
 * Aliases and shorthands end here: each part is rewritten where it stands, so that it can still be
 * pointed at. Nothing is judged: what makes no sense is handed on as it is, for `validate` to name.
 */

export type Dict = Record<string, unknown>;

/** Of anything at all: an object may refuse to become a text. */
export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

export const isDict = (value: unknown): value is Dict =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Secret);

interface Spelling {
  /** The config in the one spelling that the schema knows. */
  config: unknown;
  /** Where a spelled path was written under another one. */
  written: Map<string, string>;
  problems: Problem[];
}

type Notes = Pick<Spelling, "written" | "problems">;

type Speller = (value: unknown, path: string, notes: Notes) => unknown;

export function spell(config: unknown): Spelling {
  const notes: Notes = { written: new Map(), problems: [] };
  return { config: source(config, "", notes), ...notes };
}

const chain =
  (...spellers: Speller[]): Speller =>
  (value, path, notes) =>
    spellers.reduce((spelled, speller) => speller(spelled, path, notes), value);

const within =
  (spellers: Record<string, Speller>): Speller =>
  (value, path, notes) => {
    if (!isDict(value)) return value;
    const spelled = { ...value };
    for (const [key, speller] of Object.entries(spellers)) {
      const at = path === "" ? key : `${path}.${key}`;
      if (value[key] != null) spelled[key] = speller(value[key], at, notes);
    }
    return spelled;
  };

const each =
  (speller: Speller): Speller =>
  (value, path, notes) =>
    Array.isArray(value) ? value.map((one, i) => speller(one, `${path}[${i}]`, notes)) : value;

/** A bare text stands for a dict with this one key. */
const short =
  (key: string): Speller =>
  (value, path, notes) => {
    if (typeof value !== "string") return value;
    notes.written.set(`${path}.${key}`, path);
    return { [key]: value };
  };

const otherWord =
  (words: Record<string, string>): Speller =>
  (value) =>
    typeof value === "string" && Object.hasOwn(words, value) ? words[value] : value;

const method: Speller = (value) => (typeof value === "string" ? value.toUpperCase() : value);

const bearerByDefault: Speller = (value) =>
  isDict(value) && value.type == null ? { ...value, type: "bearer" } : value;

const oauth2: Speller = (value, path, notes) => {
  const types = ["oauth2_client_credentials", "oauth2_refresh_token"];
  if (!isDict(value) || !types.includes(textOf(value.type))) return value;
  const { token_url, scope, scopes, ...rest } = value;
  const urls = { access_token_url: rest.access_token_url, token_url };
  const url = onlyOne(urls, path, "access_token_url", notes);
  if (url !== undefined) rest.access_token_url = url;

  const data = rest.access_token_request_data ?? {};
  if (!isDict(data)) return rest;
  const spellings = { "access_token_request_data.scope": data.scope, scope, scopes };
  const wanted = onlyOne(spellings, path, "access_token_request_data.scope", notes);
  if (wanted === undefined) return rest;
  const joined = Array.isArray(wanted) ? wanted.join(" ") : wanted;
  return { ...rest, access_token_request_data: { ...data, scope: joined } };
};

/** The value that is there under any of its names. More than one is a problem. */
function onlyOne(values: Dict, path: string, name: string, notes: Notes): unknown {
  const found = Object.entries(values).filter(([, value]) => value != null);
  const [first, second] = found;
  if (first === undefined) return undefined;
  if (second !== undefined) {
    notes.problems.push({
      path: `${path}.${second[0]}`,
      message: `"${first[0]}" and "${second[0]}" are two names of the same thing`,
      hint: "keep one of them",
    });
  }
  notes.written.set(`${path}.${name}`, `${path}.${first[0]}`);
  return first[1];
}

const auth = chain(
  short("type"),
  bearerByDefault,
  within({
    type: otherWord({ oauth2: "oauth2_client_credentials" }),
    location: otherWord({ param: "query" }),
  }),
  oauth2,
);

const paginator = chain(short("type"), within({ type: otherWord({ json_response: "json_link" }) }));

const endpoint = within({ method, auth, paginator });

const write_disposition = short("disposition");

const source = within({
  client: within({ auth, paginator }),
  resource_defaults: within({ write_disposition, endpoint }),
  resources: each(
    chain(short("name"), within({ write_disposition, endpoint: chain(short("path"), endpoint) })),
  ),
});
