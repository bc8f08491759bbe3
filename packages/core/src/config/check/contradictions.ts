import type { Problem } from "../../base/errors.ts";
import { isDict, stringOrEmpty } from "../dict.ts";
import type { SettledResource, SettledSource } from "../settle.ts";
import type { Source } from "../source.ts";
import { spellingHint } from "../suggest.ts";
import { placeholderNames, unknownReferences } from "../templates.ts";
import { formatPath, valueAt, walkConfig } from "../walk.ts";
import { pathSecretProblems, secretProblems } from "./credential-problems.ts";
import { incrementalProblems } from "./incremental-problems.ts";
import { keyProblems, orderProblems } from "./key-problems.ts";
import { lineageProblems } from "./lineage-problems.ts";
import { type Locate, makeLocate } from "./locate.ts";
import { pagingProblems } from "./paging-problems.ts";
import { circleProblems, parentProblems } from "./parent-problems.ts";
import { tableProblems } from "./table-problems.ts";

/*
 * The parts of a config are compared with each other. The schema reports wrong shapes at the same
 * time, so no check in this file may rely on the declared types.
 */

export function contradictionProblems(
  { options }: Source,
  expanded: unknown,
  { client, resources }: SettledSource,
): Problem[] {
  return [
    ...secretProblems(expanded),
    ...repeatedNameProblems(resources),
    ...sharedTableProblems(resources),
    ...circleProblems(resources),
    ...resources.flatMap((resource, index) => {
      const locate = makeLocate(expanded, options, index);
      return [
        ...keyProblems(resource, locate),
        ...orderProblems(resource, locate),
        ...bodyProblems(resource, locate),
        ...pathProblems(resource, locate),
        ...placeholderProblems(resource, locate),
        ...incrementalProblems(resource, locate),
        ...parentProblems(resource, resources, locate),
        ...lineageProblems(resource, resources, locate),
        ...pagingProblems(resource, locate),
        ...tableProblems(resource, locate),
        ...pathSecretProblems(client, resource, locate),
      ];
    }),
    ...unknownResourceProblems(resources, options),
  ];
}

function bodyProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  if (endpoint.json === undefined || endpoint.data === undefined) return [];
  return [
    {
      path: locate("endpoint", "data"),
      message: `a request has one body: "json" and "data" cannot stand together`,
      hint: `"json" sends JSON, "data" a form or a string; keep one`,
    },
  ];
}

function pathProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  if (typeof endpoint.path !== "string") return [];
  return placeholderNames(endpoint.path)
    .filter((name) => !/^(resources|incremental|secrets)\./.test(name))
    .filter((name) => valueAt(endpoint.params, [name]) === undefined)
    .map((name) => ({
      path: locate("endpoint", "path"),
      message: `the path names {${name}}, and params has no "${name}"`,
      hint: `add it to params, or write {{ and }} for braces`,
    }));
}

/** A placeholder that no value fills would be sent as it stands, and the API would answer with nothing. */
function placeholderProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  const { params, headers, json, data } = endpoint;
  const headerNames = Object.keys(isDict(headers) ? headers : {});
  const values = [
    ...walkConfig({ params, headers, json, data }),
    ...headerNames.map((name) => ({ keys: ["headers", name], value: name })),
  ];
  return values.flatMap(({ keys, value }) =>
    (typeof value === "string" ? unknownReferences(value) : []).map((name) => ({
      path: locate("endpoint", ...keys),
      message: `nothing fills the placeholder {${name}}`,
      hint: `there are {resources.…}, {incremental.…} and secrets; for braces that are sent write {{ and }}`,
    })),
  );
}

function repeatedNameProblems(resources: SettledResource[]): Problem[] {
  const names = resources.map(({ name }) => name);
  return names.flatMap((name, index) => {
    const firstIndex = names.indexOf(name);
    if (firstIndex === index || typeof name !== "string") return [];
    return [
      {
        path: `resources[${index}].name`,
        message: `resources[${firstIndex}] has this name too`,
        hint: "each resource needs a name of its own",
      },
    ];
  });
}

// A refresh deletes the rows that its resource did not read, so a table belongs to one resource.
function sharedTableProblems(resources: SettledResource[]): Problem[] {
  const tables = resources.map(({ name, table_name }) => table_name ?? name);
  return tables.flatMap((table, index) => {
    const firstIndex = tables.indexOf(table);
    const isShared =
      typeof table === "string" && resources[firstIndex]?.name !== resources[index]?.name;
    if (!isShared) return [];
    return [
      {
        path: `resources[${index}].table_name`,
        message: `resources[${firstIndex}] writes to this table too`,
        hint: "each resource needs a table of its own",
      },
    ];
  });
}

function unknownResourceProblems(
  resources: SettledResource[],
  options: Source["options"],
): Problem[] {
  const names = resources.map(({ name }) => stringOrEmpty(name));
  return Object.keys(isDict(options.resources) ? options.resources : {})
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path: formatPath(["options", "resources", name]),
      message: `the config has no resource "${name}"`,
      hint: spellingHint(name, names),
    }));
}
