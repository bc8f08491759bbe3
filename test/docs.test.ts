import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { runInThisContext } from "node:vm";
import { dlt, rest_api_source, type Source } from "@tidetable/core";
import { findNotices } from "@tidetable/core/internal";
import ts from "typescript";
import { describe, expect, it, test } from "vitest";
import { sourceConfig, sourceOptions } from "../packages/core/src/config/check/schema.ts";
import { validate } from "../packages/core/src/config/check/validate.ts";

/*
 * The Markdown files of the repository. docs/config.md is held against the format: the keys of its
 * tables are those of the types, and each example is valid.
 */

const root = resolve(import.meta.dirname, "..");
const readFile = (path: string) => readFileSync(resolve(root, path), "utf8");
const configPage = readFile("docs/config.md");

// ── The page ─────────────────────────────────────────────────────────────────────────────────────

interface Section {
  heading: string;
  /** The rows of the tables whose head begins with `column`. */
  rows: (column: string) => string[][];
  /** The blocks of code; `context` is the word after the language. */
  blocks: { context: string; code: string }[];
}

/** The cells of a table's row. A bar in code separates no cells. */
const cellsOf = (line: string): string[] =>
  (line.match(/(?<=\|)(?:`[^`]*`|[^|`])*(?=\|)/g) ?? []).map((cell) => cell.trim());

const codeIn = (cell = ""): string => /`([^`]+)`/.exec(cell)?.[1] ?? "";

const sections = configPage.split(/^(?=#+ )/m).map((text): Section => {
  const tables = [...text.matchAll(/^\|.*\n\|[-| ]+\|\n(?:\|.*\n?)+/gm)].map(([table]) =>
    table.trim().split("\n").map(cellsOf),
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

const sectionOf = (heading: string): Section => {
  const section = sections.find((candidate) => candidate.heading === heading);
  if (!section) throw new Error(`config.md has no section "${heading}"`);
  return section;
};

// ── The types ────────────────────────────────────────────────────────────────────────────────────

/** The keys and the literal words of each type of a file, however deeply they are nested. */
function readTypes(path: string) {
  const file = ts.createSourceFile(path, readFile(path), ts.ScriptTarget.Latest, true);
  const namedTypes = new Map<string, { keys: Set<string>; words: Set<string> }>();
  file.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node)) return;
    const [keys, words] = [new Set<string>(), new Set<string>()];
    const visit = (inner: ts.Node): void => {
      if (ts.isPropertySignature(inner)) keys.add(inner.name.getText());
      if (ts.isLiteralTypeNode(inner) && ts.isStringLiteral(inner.literal)) {
        words.add(inner.literal.text);
      }
      // `Omit<Type, "word">` leaves the word out.
      if (!ts.isExpressionWithTypeArguments(inner) && !isLookup(inner)) inner.forEachChild(visit);
    };
    node.forEachChild(visit);
    namedTypes.set(node.name.text, { keys, words });
  });
  return namedTypes;
}

const isLookup = (node: ts.Node): boolean =>
  ts.isIndexedAccessTypeNode(node) ||
  (ts.isTypeReferenceNode(node) && /^(Omit|Exclude|NonNullable)$/.test(node.typeName.getText()));

const types = new Map([
  ...readTypes("packages/core/src/config/types.ts"),
  ...readTypes("packages/core/src/config/endpoint-types.ts"),
]);
const dataTypes = readTypes("packages/core/src/config/plan-types.ts").get("DataType");

// ── The type that each section describes, and the dict that completes its examples ───────────────

type Dict = Record<string, unknown>;
type Context = (example: never) => Source;

const base_url = "https://api.example.com";
const sourceOf = (dict: Dict, options: Dict = {}): Source =>
  rest_api_source({ client: { base_url }, resources: ["users"], ...dict } as never, options);

const withClient = (example: Dict) => sourceOf({ client: { base_url, ...example } });
const withAuth = (type: string) => (example: Dict) => withClient({ auth: { type, ...example } });
/** The resource has a parent and a key: examples for children and for merging need them. */
const withResource = (example: Dict) =>
  sourceOf({
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
const withEndpoint = (example: Dict) => withResource({ endpoint: { path: "posts", ...example } });
const withPaginator =
  (type: string, options: Dict = {}) =>
  (example: Dict) =>
    withEndpoint({ paginator: { type, ...options, ...example } });
const withIncremental = (example: Dict) =>
  withEndpoint({
    path: "users/{resources.users.id}",
    incremental: { cursor_path: "updated_at", ...example },
  });
const withParam = (value: Dict) =>
  withEndpoint({ path: value.type === "resolve" ? "users/{id}" : "users", params: { id: value } });
const withAction = (example: Dict) =>
  withEndpoint({ response_actions: [{ action: "ignore", ...example }] });
const withOptions = (example: Dict) => sourceOf({}, example);

const contexts: Record<string, { types: string[]; context: Context; unlisted?: string[] }> = {
  "The dict": { types: ["SourceConfig"], context: sourceOf },
  client: { types: ["ClientConfig"], context: withClient },
  bearer: { types: ["BearerAuth"], context: withAuth("bearer"), unlisted: ["type"] },
  api_key: { types: ["ApiKeyAuth"], context: withAuth("api_key"), unlisted: ["type"] },
  http_basic: { types: ["HttpBasicAuth"], context: withAuth("http_basic"), unlisted: ["type"] },
  oauth2_client_credentials: {
    types: ["OAuth2ClientCredentialsAuth", "TokenRequest"],
    context: withAuth("oauth2_client_credentials"),
    unlisted: ["type"],
  },
  oauth2_refresh_token: {
    types: ["OAuth2RefreshTokenAuth"],
    context: withAuth("oauth2_refresh_token"),
    unlisted: ["type"],
  },
  resources: {
    types: ["ResourceBase", "ResourceConfig", "ResourceDefaults", "ResourceExtensions"],
    context: withResource,
  },
  endpoint: { types: ["EndpointConfig"], context: withEndpoint },
  error_handler: {
    types: ["ErrorHandlerConfig"],
    context: (example: Dict) => withEndpoint({ error_handler: example }),
  },
  offset: {
    types: ["OffsetPaginator"],
    context: withPaginator("offset", { limit: 100 }),
    unlisted: ["type"],
  },
  page_number: {
    types: ["PageNumberPaginator"],
    context: withPaginator("page_number"),
    unlisted: ["type"],
  },
  cursor: { types: ["CursorPaginator"], context: withPaginator("cursor"), unlisted: ["type"] },
  header_cursor: {
    types: ["HeaderCursorPaginator"],
    context: withPaginator("header_cursor"),
    unlisted: ["type"],
  },
  json_link: {
    types: ["JsonLinkPaginator"],
    context: withPaginator("json_link"),
    unlisted: ["type"],
  },
  header_link: {
    types: ["HeaderLinkPaginator"],
    context: withPaginator("header_link"),
    unlisted: ["type"],
  },
  // The two paginators without options.
  paginator: { types: ["PaginatorConfig"], context: withPaginator("auto"), unlisted: ["type"] },
  incremental: { types: ["IncrementalConfig"], context: withIncremental },
  "incremental as a parameter": { types: ["IncrementalParam"], context: withParam },
  resolve: {
    types: ["ResolveParam"],
    context: (example: Dict) =>
      withParam({ type: "resolve", resource: "users", field: "id", ...example }),
  },
  processing_steps: {
    types: ["ProcessingStep"],
    context: (example: Dict) => withResource({ processing_steps: [example] }),
  },
  response_actions: { types: ["ResponseAction", "ResponseHook"], context: withAction },
  write_disposition: {
    types: ["WriteDispositionConfig"],
    context: (example: Dict) =>
      withResource({ write_disposition: { disposition: "merge", ...example } }),
  },
  columns: {
    types: ["ColumnConfig", "NamedColumnConfig"],
    context: (example: Dict) =>
      withResource({ columns: "name" in example ? [example] : { state: example } }),
  },
  schema_contract: {
    types: ["SchemaContract"],
    context: (example: Dict) => withResource({ schema_contract: example }),
  },
  options: { types: ["SourceOptions"], context: withOptions },
  schedule: {
    types: ["ScheduleOptions"],
    context: (schedule: Dict) => withOptions({ schedule }),
  },
  function: {
    types: ["FunctionOptions"],
    context: (example: Dict) => withOptions({ function: example }),
  },
  table: { types: ["TableOptions"], context: (table: Dict) => withOptions({ table }) },
  index: {
    types: ["IndexOptions"],
    context: (by_state: Dict) => withOptions({ table: { indexes: { by_state } } }),
  },
  "by resource": {
    types: ["ResourceOptions"],
    context: (users: Dict) => withOptions({ resources: { users } }),
  },
};

/** The contexts that blocks of code and the last two tables name. */
const namedContexts: Record<string, Context> = {
  source: sourceOf,
  client: withClient,
  resource: withResource,
  endpoint: withEndpoint,
  incremental: withIncremental,
  options: withOptions,
  resources: (resources: unknown[]) => sourceOf({ resources }),
};

const evaluateDict = (code: string): never =>
  runInThisContext(`(dlt, rest_api_source) => (${code})`)(dlt, rest_api_source) as never;

const problemsOf = (code: string, context: Context): string[] =>
  validate(context(evaluateDict(code)), "docs").map(
    ({ path, message, hint }) => `${path}: ${message}; ${hint}`,
  );

// ── The tests ────────────────────────────────────────────────────────────────────────────────────

describe.each(Object.entries(contexts))("config.md, %s", (heading, {
  types: typeNames,
  context,
  unlisted = [],
}) => {
  const rows = sectionOf(heading).rows("key");

  it(`the section "${heading}" of config.md has each key of its type once, and no other`, () => {
    const keys = typeNames.flatMap((name) => [...(types.get(name)?.keys ?? [`no type ${name}`])]);
    const listedKeys = new Set(keys.filter((key) => !unlisted.includes(key)));
    expect(rows.map(([key]) => codeIn(key)).sort()).toEqual([...listedKeys].sort());
  });

  test.each(
    rows.map(([key, meaning = "", , example]) => [codeIn(key), meaning, codeIn(example)]),
  )(`the section "${heading}" of config.md has a valid example of %s`, (key, meaning, example) => {
    expect(example).toContain(key);
    const problems = problemsOf(`{ ${example} }`, context);
    if (meaning.startsWith("Refused")) expect(problems.join("\n")).toContain("is not supported");
    else expect(problems).toEqual([]);
  });
});

describe("config.md", () => {
  it("config.md describes every type that has keys", () => {
    const described = Object.values(contexts).flatMap((context) => context.types);
    const withKeys = [...types].filter(([, { keys }]) => keys.size > 0).map(([name]) => name);
    expect(withKeys.filter((name) => !described.includes(name))).toEqual([]);
  });

  it("config.md has every word that a key can have as its value", () => {
    const words = [...types.values(), dataTypes].flatMap((type) => [...(type?.words ?? [])]);
    expect(words.length).toBeGreaterThan(60);
    expect(words.filter((word) => !configPage.includes(`"${word}"`))).toEqual([]);
  });

  it("config.md has every key that validation knows", () => {
    const keys = [...new Set([...schemaKeys(sourceConfig), ...schemaKeys(sourceOptions)])];
    expect(keys.length).toBeGreaterThan(120);
    expect(keys.filter((key) => !configPage.includes(`\`${key}\``) && key !== "type")).toEqual([]);
  });

  const blocks = sections.flatMap(({ heading, blocks }) =>
    blocks.map((block) => ({ heading, ...block })),
  );
  test.each(blocks)("the block of code in the section $heading of config.md is valid", ({
    code,
    context,
  }) => {
    const complete: Context = (example: Source) => example;
    const problems = problemsOf(
      code,
      context === "" ? complete : (namedContexts[context] as Context),
    );
    expect(problems).toEqual([]);
  });
  it("config.md has blocks of code", () => expect(blocks.length).toBeGreaterThan(5));

  const refused = sectionOf("What is refused").rows("in");
  test.each(
    refused.map(([context = "", wrong, message = ""]) => [context, codeIn(wrong), message]),
  )("%s: %s is refused in the words of config.md", (context, wrong, message) => {
    const problems = problemsOf(`{ ${wrong} }`, namedContexts[context] as Context);
    expect(problems.join("\n")).toContain(message);
  });

  const meaningless = sectionOf("What has no effect").rows("in");
  test.each(
    meaningless.map(([context = "", example]) => [context, codeIn(example)]),
  )("%s: %s is accepted with a notice, as config.md says", (context, example) => {
    const accepted = (namedContexts[context] as Context)(evaluateDict(`{ ${example} }`));
    expect(validate(accepted, "docs")).toEqual([]);
    expect(findNotices(accepted).map(({ message }) => message)).toContain(
      "means nothing in DynamoDB and has no effect",
    );
  });
});

/** Every key of every object in a zod schema. */
function schemaKeys(schema: unknown, visited = new Set<unknown>()): string[] {
  if (typeof schema !== "object" || schema === null || visited.has(schema)) return [];
  visited.add(schema);
  const def = (schema as { def?: Dict }).def;
  if (!def) return [];
  const shape = (def.shape ?? {}) as Dict;
  const inner = [def.innerType, def.element, def.valueType, def.in, def.out, def.options];
  const schemas = [...Object.values(shape), ...inner.flat()];
  return [...Object.keys(shape), ...schemas.flatMap((inside) => schemaKeys(inside, visited))];
}

// ── Every Markdown file ──────────────────────────────────────────────────────────────────────────

const ignored = new Set(["node_modules", ".git", ".sst", ".tidetable"]);

function markdownFiles(folder = ""): string[] {
  return readdirSync(resolve(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (ignored.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** The longest line outside of tables and code; longer ones are hard to read in a diff. */
const LONGEST_LINE = 130;

const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

describe.each(markdownFiles())("%s", (path) => {
  const text = readFile(path);

  it(`${path} has no line over ${LONGEST_LINE} characters outside of tables and code`, () => {
    const prose = text.replace(/^( *)```[\s\S]*?^ *```/gm, "").replace(/^\|.*$/gm, "");
    expect(prose.split("\n").filter((line) => line.length > LONGEST_LINE)).toEqual([]);
  });

  it(`the links of ${path} lead to a file and a heading of the repository`, () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(
      ([, target = ""]) => target,
    );
    const missing = links.filter((link) => {
      const [file, hash] = link.split("#");
      const target = file ? resolve(root, dirname(path), file) : resolve(root, path);
      if (!existsSync(target)) return true;
      if (hash === undefined) return false;
      const headings = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)/gm)];
      return !headings.some(([, heading = ""]) => anchorOf(heading) === hash);
    });
    expect(missing).toEqual([]);
  });
});

it.each([
  "docs/config.md",
  "docs/compared.md",
])("%s names tests that the test files have", (path) => {
  const citations = [...readFile(path).matchAll(/`([\w./-]+\.test\.ts)`((?:,? "[^"]+")*)/g)];
  const missing = citations.flatMap(([, file = "", names = ""]) => {
    const testFile = resolve(root, file.includes("/") ? "" : "test/conformance", file);
    if (!existsSync(testFile)) return file;
    const text = readFileSync(testFile, "utf8");
    return [...names.matchAll(/"([^"]+)"/g)]
      .filter(([quoted]) => !text.includes(quoted))
      .map(([quoted]) => `${file} ${quoted}`);
  });
  expect(missing).toEqual([]);
});
