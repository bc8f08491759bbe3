import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { runInThisContext } from "node:vm";
import { dlt, notices, rest_api_source, type Source } from "@tidetable/core";
import ts from "typescript";
import { describe, expect, it, test } from "vitest";
import { sourceConfig, sourceOptions } from "../packages/core/src/config/check/schema.ts";
import { validate } from "../packages/core/src/config/check/validate.ts";

/*
 * docs/config.md against the format: the keys of its tables are those of the types, and what it
 * shows as an example is one.
 */

const root = resolve(import.meta.dirname, "..");
const read = (path: string) => readFileSync(resolve(root, path), "utf8");
const page = read("docs/config.md");

// ── The page ─────────────────────────────────────────────────────────────────────────────────────

interface Section {
  heading: string;
  /** The rows of its tables, by the first cell of their head. */
  rows: (column: string) => string[][];
  /** Its blocks of code, with what stands behind the language. */
  blocks: { context: string; code: string }[];
}

/** A bar in code separates no cells. */
const cells = (line: string): string[] =>
  (line.match(/(?<=\|)(?:`[^`]*`|[^|`])*(?=\|)/g) ?? []).map((cell) => cell.trim());

const codeIn = (cell = ""): string => /`([^`]+)`/.exec(cell)?.[1] ?? "";

const sections = page.split(/^(?=#+ )/m).map((text): Section => {
  const tables = [...text.matchAll(/^\|.*\n\|[-| ]+\|\n(?:\|.*\n?)+/gm)].map(([table]) =>
    table.trim().split("\n").map(cells),
  );
  return {
    heading: /^#+ (.*)/.exec(text)?.[1] ?? "",
    rows: (column) =>
      tables.filter(([head]) => head?.[0] === column).flatMap(([, , ...rows]) => rows),
    blocks: [...text.matchAll(/^```ts ?(.*)\n([\s\S]*?)^```/gm)].map(
      ([, context = "", code = ""]) => ({ context, code }),
    ),
  };
});

const section = (heading: string): Section => {
  const found = sections.find((one) => one.heading === heading);
  if (!found) throw new Error(`config.md has no section "${heading}"`);
  return found;
};

// ── The types ────────────────────────────────────────────────────────────────────────────────────

/** What each exported or inner type of a file has for keys and words, however deep. */
function declarations(path: string) {
  const file = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const found = new Map<string, { keys: Set<string>; words: Set<string> }>();
  file.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node)) return;
    const [keys, words] = [new Set<string>(), new Set<string>()];
    const visit = (inner: ts.Node): void => {
      if (ts.isPropertySignature(inner)) keys.add(inner.name.getText());
      if (ts.isLiteralTypeNode(inner) && ts.isStringLiteral(inner.literal)) {
        words.add(inner.literal.text);
      }
      // What a type leaves out is no word of its own.
      if (!ts.isExpressionWithTypeArguments(inner) && !isLookup(inner)) inner.forEachChild(visit);
    };
    node.forEachChild(visit);
    found.set(node.name.text, { keys, words });
  });
  return found;
}

const isLookup = (node: ts.Node): boolean =>
  ts.isIndexedAccessTypeNode(node) ||
  (ts.isTypeReferenceNode(node) && /^(Omit|Exclude|NonNullable)$/.test(node.typeName.getText()));

const types = new Map([
  ...declarations("packages/core/src/config/types.ts"),
  ...declarations("packages/core/src/config/endpoint-types.ts"),
]);
const dataTypes = declarations("packages/core/src/config/plan-types.ts").get("DataType");

// ── Which section describes what, and where its examples stand ───────────────────────────────────

type Dict = Record<string, unknown>;
type Context = (example: never) => Source;

const base_url = "https://api.example.com";
const source = (dict: Dict, options: Dict = {}): Source =>
  rest_api_source({ client: { base_url }, resources: ["users"], ...dict } as never, options);

const client = (example: Dict) => source({ client: { base_url, ...example } });
const auth = (type: string) => (example: Dict) => client({ auth: { type, ...example } });
/** Children need a parent, and a key does no harm. */
const resource = (example: Dict) =>
  source({
    resources: [
      "users",
      {
        name: "posts",
        primary_key: "id",
        endpoint: "users/{resources.users.id}/posts",
        ...example,
      },
    ],
  });
const endpoint = (example: Dict) => resource({ endpoint: { path: "posts", ...example } });
const paginator =
  (type: string, more: Dict = {}) =>
  (example: Dict) =>
    endpoint({ paginator: { type, ...more, ...example } });
const incremental = (example: Dict) =>
  endpoint({
    path: "users/{resources.users.id}",
    incremental: { cursor_path: "updated_at", ...example },
  });
const param = (value: Dict) =>
  endpoint({ path: value.type === "resolve" ? "users/{id}" : "users", params: { id: value } });
const action = (example: Dict) =>
  endpoint({ response_actions: [{ action: "ignore", ...example }] });
const options = (example: Dict) => source({}, example);

const contexts: Record<string, { types: string[]; context: Context; unlisted?: string[] }> = {
  "The dict": { types: ["SourceConfig"], context: source },
  client: { types: ["ClientConfig"], context: client },
  bearer: { types: ["BearerAuth"], context: auth("bearer"), unlisted: ["type"] },
  api_key: { types: ["ApiKeyAuth"], context: auth("api_key"), unlisted: ["type"] },
  http_basic: { types: ["HttpBasicAuth"], context: auth("http_basic"), unlisted: ["type"] },
  oauth2_client_credentials: {
    types: ["OAuth2ClientCredentialsAuth", "TokenRequest"],
    context: auth("oauth2_client_credentials"),
    unlisted: ["type"],
  },
  oauth2_refresh_token: {
    types: ["OAuth2RefreshTokenAuth"],
    context: auth("oauth2_refresh_token"),
    unlisted: ["type"],
  },
  resources: {
    types: ["ResourceBase", "ResourceConfig", "ResourceDefaults", "ResourceExtensions"],
    context: resource,
  },
  endpoint: { types: ["EndpointConfig"], context: endpoint },
  error_handler: {
    types: ["ErrorHandlerConfig"],
    context: (example: Dict) => endpoint({ error_handler: example }),
  },
  offset: {
    types: ["OffsetPaginator"],
    context: paginator("offset", { limit: 100 }),
    unlisted: ["type"],
  },
  page_number: {
    types: ["PageNumberPaginator"],
    context: paginator("page_number"),
    unlisted: ["type"],
  },
  cursor: { types: ["CursorPaginator"], context: paginator("cursor"), unlisted: ["type"] },
  header_cursor: {
    types: ["HeaderCursorPaginator"],
    context: paginator("header_cursor"),
    unlisted: ["type"],
  },
  json_link: { types: ["JsonLinkPaginator"], context: paginator("json_link"), unlisted: ["type"] },
  header_link: {
    types: ["HeaderLinkPaginator"],
    context: paginator("header_link"),
    unlisted: ["type"],
  },
  // Its two kinds without options.
  paginator: { types: ["PaginatorConfig"], context: paginator("auto"), unlisted: ["type"] },
  incremental: { types: ["IncrementalConfig"], context: incremental },
  "incremental as a parameter": { types: ["IncrementalParam"], context: param },
  resolve: {
    types: ["ResolveParam"],
    context: (example: Dict) =>
      param({ type: "resolve", resource: "users", field: "id", ...example }),
  },
  processing_steps: {
    types: ["ProcessingStep"],
    context: (example: Dict) => resource({ processing_steps: [example] }),
  },
  response_actions: { types: ["ResponseAction", "ResponseHook"], context: action },
  write_disposition: {
    types: ["WriteDispositionConfig"],
    context: (example: Dict) =>
      resource({ write_disposition: { disposition: "merge", ...example } }),
  },
  columns: {
    types: ["ColumnConfig", "NamedColumnConfig"],
    context: (example: Dict) =>
      resource({ columns: "name" in example ? [example] : { state: example } }),
  },
  schema_contract: {
    types: ["SchemaContract"],
    context: (example: Dict) => resource({ schema_contract: example }),
  },
  options: { types: ["SourceOptions"], context: options },
  schedule: {
    types: ["ScheduleOptions"],
    context: (schedule: Dict) => options({ schedule }),
  },
  function: {
    types: ["FunctionOptions"],
    context: (example: Dict) => options({ function: example }),
  },
  table: { types: ["TableOptions"], context: (table: Dict) => options({ table }) },
  index: {
    types: ["IndexOptions"],
    context: (by_state: Dict) => options({ table: { indexes: { by_state } } }),
  },
  "by resource": {
    types: ["ResourceOptions"],
    context: (users: Dict) => options({ resources: { users } }),
  },
};

/** Of the blocks of code and of the last two tables. */
const named: Record<string, Context> = {
  source,
  client,
  resource,
  endpoint,
  incremental,
  options,
  resources: (resources: unknown[]) => source({ resources }),
};

const evaluate = (code: string): never =>
  runInThisContext(`(dlt, rest_api_source) => (${code})`)(dlt, rest_api_source) as never;

const problemsOf = (code: string, context: Context): string[] =>
  validate(context(evaluate(code)), "docs").map(
    ({ path, message, hint }) => `${path}: ${message}; ${hint}`,
  );

// ── The tests ────────────────────────────────────────────────────────────────────────────────────

describe.each(Object.entries(contexts))("config.md, %s", (heading, { types: names, ...of }) => {
  const rows = section(heading).rows("key");

  it("has the keys of the type, each once, and no other", () => {
    const known = names.flatMap((name) => [...(types.get(name)?.keys ?? [`no type ${name}`])]);
    const wanted = new Set(known.filter((key) => !of.unlisted?.includes(key)));
    expect(rows.map(([key]) => codeIn(key)).sort()).toEqual([...wanted].sort());
  });

  test.each(
    rows.map(([key, what = "", , example]) => [codeIn(key), what, codeIn(example)]),
  )("%s has an example that is one", (key, what, example) => {
    expect(example).toContain(key);
    const problems = problemsOf(`{ ${example} }`, of.context);
    if (what.startsWith("Refused")) expect(problems.join("\n")).toContain("is not supported");
    else expect(problems).toEqual([]);
  });
});

describe("config.md", () => {
  it("describes every type that has keys", () => {
    const described = Object.values(contexts).flatMap((one) => one.types);
    const withKeys = [...types].filter(([, { keys }]) => keys.size > 0).map(([name]) => name);
    expect(withKeys.filter((name) => !described.includes(name))).toEqual([]);
  });

  it("has every word that a key can have", () => {
    const words = [...types.values(), dataTypes].flatMap((one) => [...(one?.words ?? [])]);
    expect(words.length).toBeGreaterThan(60);
    expect(words.filter((word) => !page.includes(`"${word}"`))).toEqual([]);
  });

  it("has every key that validation knows", () => {
    const keys = [...new Set([...schemaKeys(sourceConfig), ...schemaKeys(sourceOptions)])];
    expect(keys.length).toBeGreaterThan(120);
    expect(keys.filter((key) => !page.includes(`\`${key}\``) && key !== "type")).toEqual([]);
  });

  const blocks = sections.flatMap((one) => one.blocks.map((block) => ({ ...one, ...block })));
  test.each(blocks)("the block in $heading is valid", ({ code, context }) => {
    const whole: Context = (made: Source) => made;
    const problems = problemsOf(code, context === "" ? whole : (named[context] as Context));
    expect(problems).toEqual([]);
  });
  it("has blocks", () => expect(blocks.length).toBeGreaterThan(5));

  const refused = section("What is refused").rows("in");
  test.each(
    refused.map(([place = "", wrong, says = ""]) => [place, codeIn(wrong), says]),
  )("%s %s is refused, as it says", (place, wrong, says) => {
    const problems = problemsOf(`{ ${wrong} }`, named[place] as Context);
    expect(problems.join("\n")).toContain(says);
  });

  const idle = section("What has no effect").rows("in");
  test.each(
    idle.map(([place = "", example]) => [place, codeIn(example)]),
  )("%s %s is accepted with a notice", (place, example) => {
    const made = (named[place] as Context)(evaluate(`{ ${example} }`));
    expect(validate(made, "docs")).toEqual([]);
    expect(notices(made).map(({ message }) => message)).toContain(
      "means nothing in DynamoDB and has no effect",
    );
  });
});

/** Every key of every object in a zod schema. */
function schemaKeys(schema: unknown, seen = new Set<unknown>()): string[] {
  if (typeof schema !== "object" || schema === null || seen.has(schema)) return [];
  seen.add(schema);
  const def = (schema as { def?: Dict }).def;
  if (!def) return [];
  const shape = (def.shape ?? {}) as Dict;
  const inner = [def.innerType, def.element, def.valueType, def.in, def.out, def.options];
  const schemas = [...Object.values(shape), ...inner.flat()];
  return [...Object.keys(shape), ...schemas.flatMap((one) => schemaKeys(one, seen))];
}

// ── Links ────────────────────────────────────────────────────────────────────────────────────────

const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

describe.each(["docs/config.md", "docs/compared.md"])("%s", (path) => {
  const links = [...read(path).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, to = ""]) => to);

  it("links to what is there", () => {
    const missing = links.filter((link) => {
      const [file, hash] = link.split("#");
      const target = file ? resolve(root, dirname(path), file) : resolve(root, path);
      if (!existsSync(target)) return true;
      if (hash === undefined) return false;
      const headings = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)/gm)];
      return !headings.some(([, heading = ""]) => anchor(heading) === hash);
    });
    expect(missing).toEqual([]);
  });

  it("names tests that are there", () => {
    const named = [...read(path).matchAll(/`([\w./-]+\.test\.ts)`((?:,? "[^"]+")*)/g)];
    const missing = named.flatMap(([, file = "", names = ""]) => {
      const at = resolve(root, file.includes("/") ? "" : "test/conformance", file);
      if (!existsSync(at)) return file;
      const text = readFileSync(at, "utf8");
      return [...names.matchAll(/"([^"]+)"/g)]
        .filter(([quoted]) => !text.includes(quoted))
        .map(([quoted]) => `${file} ${quoted}`);
    });
    expect(missing).toEqual([]);
  });
});
