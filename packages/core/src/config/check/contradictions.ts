import type { Problem } from "../../base/errors.ts";
import { type Incremental, incrementals } from "../incremental.ts";
import { canBeKey, planDisposition, versionType } from "../rows.ts";
import type { Settled, SettledResource } from "../settle.ts";
import type { Source } from "../source.ts";
import { isDict, textOf } from "../spell.ts";
import { suggest } from "../suggest.ts";
import { placeholders } from "../templates.ts";
import { formatPath, valueAt, walk } from "../walk.ts";
import { pathSecretProblems, secretProblems } from "./credential-problems.ts";
import { type Locate, locator } from "./locate.ts";
import { pagingProblems } from "./paging-problems.ts";
import { circles, parentProblems } from "./parent-problems.ts";
import { tableProblems } from "./table-problems.ts";

/*
 * What no single place is wrong about: the parts of a config against each other. Their shapes may
 * be wrong as well and are named by then, so nothing here relies on them.
 */

export function contradictions(
  { options }: Source,
  spelled: unknown,
  { client, resources }: Settled,
): Problem[] {
  return [
    ...secretProblems(spelled),
    ...repeatedNames(resources),
    ...sharedTables(resources),
    ...circles(resources),
    ...resources.flatMap((resource, index) => {
      const locate = locator(spelled, options, index);
      return [
        ...keyProblems(resource, locate),
        ...orderProblems(resource, locate),
        ...bodyProblems(resource, locate),
        ...pathProblems(resource, locate),
        ...incrementalProblems(resource, locate),
        ...parentProblems(resource, resources, locate),
        ...pagingProblems(resource, locate),
        ...tableProblems(resource, locate),
        ...pathSecretProblems(client, resource, locate),
      ];
    }),
    ...unknownResources(resources, options),
  ];
}

function keyProblems({ primary_key, write_disposition, columns }: SettledResource, locate: Locate) {
  const problems: Problem[] = [];
  if (primary_key.length === 0 && write_disposition?.disposition === "merge") {
    problems.push({
      path: locate("write_disposition"),
      message: "merge needs a primary_key to tell records apart",
      hint: `add "primary_key": "id", or use "append"`,
    });
  }
  if (new Set(primary_key).size < primary_key.length) {
    problems.push({
      path: locate("primary_key"),
      message: "primary_key names a field twice",
      hint: "name each field once",
    });
  }
  for (const field of primary_key) {
    const column = columns[field];
    if (!isDict(column)) continue;
    if (!canBeKey(column.data_type)) {
      problems.push({
        path: locate("columns", field, "data_type"),
        message: `"${field}" is part of the primary_key, and this type can not be a key`,
        hint: "declare text, bigint, decimal, double or binary",
      });
    }
    if (column.nullable === true) {
      problems.push({
        path: locate("columns", field, "nullable"),
        message: `"${field}" is part of the primary_key and can not be null`,
        hint: "remove nullable",
      });
    }
  }
  return problems;
}

function orderProblems(resource: SettledResource, locate: Locate): Problem[] {
  const { write_mode, version_field, columns } = resource;
  if (write_mode !== "ordered") {
    if (version_field === undefined) return [];
    return [
      {
        path: locate("version_field"),
        message: "a version_field is for rows that are written in order",
        hint: `add "write_mode": "ordered", or remove it`,
      },
    ];
  }
  const problems: Problem[] = [];
  if (planDisposition(resource) !== "merge" || resource.primary_key.length === 0) {
    problems.push({
      path: locate("write_mode"),
      message: "only rows that are merged by a primary_key have an order",
      hint: `add "primary_key": "id" and "write_disposition": "merge", or use "batch"`,
    });
  }
  if (version_field === undefined) {
    problems.push({
      path: locate("write_mode"),
      message: "ordered needs a version_field to tell which row is newer",
      hint: `add "version_field": "updated_at", or use "batch"`,
    });
  } else if (!versionType(columns[version_field]?.data_type)) {
    problems.push({
      path: locate("version_field"),
      message: "the column of the version_field has no data_type by which rows can be ordered",
      hint: "declare text, timestamp, date, bigint, decimal or double in columns",
    });
  }
  return problems;
}

function bodyProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  if (endpoint.json === undefined || endpoint.data === undefined) return [];
  return [
    {
      path: locate("endpoint", "data"),
      message: `a request has one body: "json" and "data" can not stand together`,
      hint: `"json" sends JSON, "data" a form or a text; keep one`,
    },
  ];
}

function pathProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  if (typeof endpoint.path !== "string") return [];
  return placeholders(endpoint.path)
    .filter((name) => !/^(resources|incremental|secrets)\./.test(name))
    .filter((name) => valueAt(endpoint.params, [name]) === undefined)
    .map((name) => ({
      path: locate("endpoint", "path"),
      message: `the path names {${name}}, and params has no "${name}"`,
      hint: `add it to params, or write {{ and }} for braces`,
    }));
}

function incrementalProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  const [first, second] = incrementals(endpoint);
  if (second) {
    return [
      {
        path: locate("endpoint", ...second.keys),
        message: "this endpoint has an incremental already, and a run has one cursor",
        hint: `keep one; "{incremental.start_value}" puts its start value into more places`,
      },
    ];
  }
  if (first) return backfillProblems(first, locate);
  const { path, params, headers, json, data } = endpoint;
  return [...walk({ path, params, headers, json, data })]
    .filter(({ value }) => typeof value === "string" && value.includes("{incremental."))
    .map((place) => ({
      path: locate("endpoint", ...place.keys),
      message: "{incremental.…} needs an incremental, and the endpoint has none",
      hint: `add "incremental": { "cursor_path": "updated_at" } to the endpoint`,
    }));
}

/** What has an end needs a start, before it. */
function backfillProblems({ keys, config }: Incremental, locate: Locate): Problem[] {
  const at = (key: string) => locate("endpoint", ...keys, key);
  const { initial_value, end_value, step, last_value_func } = config;
  if (end_value == null) {
    if (step == null) return [];
    return [
      {
        path: at("step"),
        message: "step is for a backfill, and without an end_value this is none",
        hint: "add an end_value, or remove it",
      },
    ];
  }
  if (initial_value == null) {
    return [
      {
        path: at("end_value"),
        message: "an end_value needs an initial_value",
        hint: "a backfill reads from one to the other",
      },
    ];
  }
  const isNumber = (value: unknown) => typeof value === "number";
  const mixed = isNumber(initial_value) !== isNumber(end_value);
  const [low, high] =
    last_value_func === "min" ? [end_value, initial_value] : [initial_value, end_value];
  if (typeof last_value_func === "function" || (!mixed && low <= high)) return [];
  return [
    {
      path: at("end_value"),
      message: mixed
        ? "end_value is of another type than initial_value"
        : "the end lies before the start",
      hint: "write both as the API writes the cursor, the start first",
    },
  ];
}

function repeatedNames(resources: SettledResource[]): Problem[] {
  const names = resources.map(({ name }) => name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (first === index || typeof name !== "string") return [];
    return [
      {
        path: `resources[${index}].name`,
        message: `resources[${first}] has this name too`,
        hint: "each resource needs a name of its own",
      },
    ];
  });
}

// Each resource sweeps its own table and holds its own lease on it.
function sharedTables(resources: SettledResource[]): Problem[] {
  const tables = resources.map(({ name, table_name }) => table_name ?? name);
  return tables.flatMap((table, index) => {
    const first = tables.indexOf(table);
    const isShared = typeof table === "string" && resources[first]?.name !== resources[index]?.name;
    if (!isShared) return [];
    return [
      {
        path: `resources[${index}].table_name`,
        message: `resources[${first}] writes to this table too`,
        hint: "each resource needs a table of its own",
      },
    ];
  });
}

function unknownResources(known: SettledResource[], { resources }: Source["options"]): Problem[] {
  const names = known.map(({ name }) => textOf(name));
  return Object.keys(isDict(resources) ? resources : {})
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path: formatPath(["options", "resources", name]),
      message: `the config has no resource "${name}"`,
      hint: suggest(name, names),
    }));
}
