import type { Problem } from "../errors.ts";
import { Secret } from "../secret.ts";
import { incrementals, START, takesStart } from "./incremental.ts";
import { placeholders } from "./request.ts";
import { planDisposition } from "./rows.ts";
import type { Settled, SettledResource } from "./settle.ts";
import { formatPath, type Place, valueAt, walk } from "./walk.ts";

/*
 * What the format has and tidetable does not run yet. It is refused, never ignored: a config that
 * validates does all that it says. To support something, delete its row.
 */

interface Row {
  /** Where it stands: see `Place.pattern`. */
  at: string;
  /** One of these values. Default: any. */
  is?: unknown[];
  what: string;
  hint?: string;
}

const paginators = ["auto", "page_number", "cursor", "header_cursor", "json_link", "header_link"];

const incrementalRows: Row[] = [
  { at: "end_value", what: "an end_value" },
  { at: "end_param", what: "an end_param" },
  { at: "last_value_func", is: ["min"], what: "a cursor that goes down" },
  { at: "primary_key", what: "a primary_key of the incremental", hint: "the resource's counts" },
  { at: "row_order", what: "row_order" },
  {
    at: "on_cursor_value_missing",
    is: ["include", "exclude"],
    what: "a record without a cursor value",
  },
  { at: "range_start", is: ["open"], what: "an open range_start" },
  { at: "range_end", is: ["closed"], what: "a closed range_end" },
  { at: "convert", what: "convert" },
  { at: "transform", what: "transform" },
  { at: "allow_external_schedulers", is: [true], what: "a window from the schedule" },
];

const rows: Row[] = [
  { at: "client.allowed_origins", what: "sending credentials to other origins" },

  { at: "auth.location", is: ["cookie"], what: "an api key in a cookie" },
  { at: "auth.access_token", what: "a token to begin with" },

  ...paginators.map((type) => ({
    at: "paginator.type",
    is: [type],
    what: `the ${type} paginator`,
    hint: "offset and single_page are supported",
  })),
  { at: "paginator.has_more_path", what: "has_more_path" },
  { at: "paginator.offset_body_path", what: "paging in the body" },
  { at: "paginator.limit_body_path", what: "paging in the body" },

  { at: "resource.write_disposition.disposition", is: ["skip"], what: "this disposition" },
  { at: "resource.write_disposition.strategy", is: ["scd2", "insert-only"], what: "this strategy" },
  { at: "resource.merge_key", what: "merge_key", hint: "primary_key is supported" },
  { at: "resource.columns.*.primary_key", is: [true], what: "a key in columns" },
  { at: "resource.columns.*.merge_key", is: [true], what: "merge_key" },
  { at: "resource.columns.*.hard_delete", is: [true], what: "hard_delete" },
  { at: "resource.columns.*.dedup_sort", what: "dedup_sort" },
  { at: "resource.selected", is: [false], what: "selected: false" },
  { at: "resource.include_from_parent", what: "include_from_parent" },
  { at: "resource.processing_steps", what: "processing_steps" },
  ...["", ".tables", ".columns", ".data_type"].map((key) => ({
    at: `resource.schema_contract${key}`,
    is: ["freeze", "discard_row", "discard_value"],
    what: "a schema contract other than evolve",
  })),

  ...["incremental", "params.*"].flatMap((place) =>
    incrementalRows.map(({ at, ...row }) => ({ at: `resource.endpoint.${place}.${at}`, ...row })),
  ),
  { at: "resource.endpoint.params.*.type", is: ["resolve"], what: "a parent's field" },
  { at: "resource.endpoint.response_actions", what: "response_actions" },
];

/** What can stand anywhere, and is known by its value. */
const anywhere: (Omit<Row, "at" | "is"> & { when: (place: Place) => boolean })[] = [
  { when: ({ value }) => includes(value, "{resources."), what: "a parent's field" },
  {
    when: ({ value, pattern }) => {
      const isParam = pattern === "resource.endpoint.params.*" && typeof value === "string";
      return includes(isParam ? value.replaceAll(START, "") : value, "{incremental.");
    },
    what: "an incremental value here",
    hint: `"${START}" can stand in params`,
  },
  {
    when: ({ value, pattern }) => typeof value === "function" && pattern === "resource.table_name",
    what: "a table name per record",
  },
  {
    when: ({ value, pattern }) =>
      typeof value === "function" && /\.(incremental|params\.\*)\.last_value_func$/.test(pattern),
    what: "a function of your own for the cursor",
    hint: `"max" is supported`,
  },
  {
    when: ({ value, pattern }) => value instanceof Secret && !pattern.startsWith("auth."),
    what: "a secret outside of auth",
    hint: `write it as auth of type "api_key", with "location": "header" or "query"`,
  },
  {
    when: ({ value }) => includes(value, String(Secret.named(""))),
    what: "a secret inside of a longer text",
    hint: "give the secret alone, where auth asks for it",
  },
];

const includes = (value: unknown, part: string) =>
  typeof value === "string" && value.includes(part);

/** `config` is spelled, so that what stands in resource_defaults is named once and there. */
export function unsupported(config: unknown, settled: Settled): Problem[] {
  const named = [...walk(config)].flatMap((place) =>
    [
      ...rows.filter(({ at, is }) => at === place.pattern && (is?.includes(place.value) ?? true)),
      ...anywhere.filter(({ when }) => when(place)),
    ].map(({ what, hint = "leave it out for now" }) => ({
      path: place.path,
      message: `${what} is not supported yet`,
      hint,
    })),
  );
  return [
    ...named,
    ...settled.resources.flatMap(leftOut),
    ...settled.resources.flatMap(incrementalPlaces),
    ...settled.resources.flatMap((resource, i) => elsewhere(settled.client.base_url, resource, i)),
  ];
}

/** What dlt finds out by looking at the first answer. */
function leftOut({ endpoint }: SettledResource, index: number): Problem[] {
  const path = `resources[${index}].endpoint`;
  const problems: Problem[] = [];
  if (!endpoint.paginator) {
    problems.push({
      path: `${path}.paginator`,
      message: "finding out the paginator is not supported yet",
      hint: `write it down, for example { "type": "offset", "limit": 100 } or "single_page"`,
    });
  }
  if (endpoint.data_selector === undefined) {
    problems.push({
      path: `${path}.data_selector`,
      message: "finding out where the records are is not supported yet",
      hint: `write it down, for example "data", or "$" where the answer itself is the list`,
    });
  }
  return problems;
}

/** An incremental where it would read some records twice and keep both, or not fill the path. */
function incrementalPlaces(resource: SettledResource, index: number): Problem[] {
  const { endpoint } = resource;
  const [found] = incrementals(endpoint);
  const problems: Problem[] = [];
  if (found && planDisposition(resource) === "append") {
    problems.push({
      path: formatPath(["resources", index, "endpoint", ...found.keys]),
      message: "incremental loading that appends is not supported yet",
      hint: `add "primary_key": "id": what is read twice at the boundary is then one row`,
    });
  }
  const inPath = typeof endpoint.path === "string" ? placeholders(endpoint.path) : [];
  if (inPath.some((name) => takesStart(valueAt(endpoint.params, [name])))) {
    problems.push({
      path: `resources[${index}].endpoint.path`,
      message: "an incremental value in the path is not supported yet",
      hint: "send it as a query parameter",
    });
  }
  return problems;
}

function elsewhere(base: string, { endpoint }: SettledResource, index: number): Problem[] {
  const { auth, path } = endpoint;
  const isElsewhere = originOf(path) !== undefined && originOf(path) !== originOf(base);
  if (!auth || !isElsewhere) return [];
  return [
    {
      path: `resources[${index}].endpoint.path`,
      message: "sending credentials to another origin than base_url's is not supported yet",
      hint: "make it a source of its own, with its base_url and its auth",
    },
  ];
}

const originOf = (url: unknown): string | undefined =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).origin : undefined;
