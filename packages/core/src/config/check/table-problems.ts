import type { Problem } from "../../base/errors.ts";
import type { DataType } from "../data-types.ts";
import { isDict } from "../dict.ts";
import { canBeKey, keyTypeOf, planDisposition, planKey } from "../rows.ts";
import type { SettledResource } from "../settle.ts";
import type { Locate } from "./locate.ts";

/**
 * Problems between a table's options and the fields of its records. As in contradictions.ts, the
 * shape of the options may be wrong.
 */
export function tableProblems(resource: SettledResource, locate: Locate): Problem[] {
  const { table, columns } = resource;
  const typeOf = (field: string): DataType | undefined => columns[field]?.data_type;
  const indexes = Object.entries(isDict(table.indexes) ? table.indexes : {}).flatMap(
    ([name, index]) => (isDict(index) ? [{ name, ...index }] : []),
  );
  return [
    ...ttlProblems(resource, indexes.flatMap(keyFields), locate),
    ...indexes.flatMap((index) => indexProblems(index, typeOf, locate)),
  ];
}

interface UncheckedIndex {
  name: string;
  hash?: unknown;
  range?: unknown;
  projection?: unknown;
}

const keyFields = ({ hash, range }: UncheckedIndex): unknown[] => [hash, range];

function ttlProblems(resource: SettledResource, indexFields: unknown[], locate: Locate): Problem[] {
  const { ttl } = resource.table;
  if (typeof ttl !== "string") return [];
  const path = locate("table", "ttl");
  const isAppend = planDisposition(resource) === "append";
  const { hash, range } = planKey(
    isAppend ? [] : resource.primary_key,
    {},
    { kind: "content", isPerRead: isAppend },
  );
  if (ttl === hash.name || ttl === range?.name) {
    return [
      {
        path,
        message: `"${ttl}" is part of the table's key, and a row does not expire by its key`,
        hint: "name another field, one with seconds since 1970",
      },
    ];
  }
  const declaredType = resource.columns[ttl]?.data_type;
  if (declaredType !== undefined && keyTypeOf(declaredType) !== "N") {
    return [
      {
        path,
        message: `"${ttl}" is declared ${declaredType}, and DynamoDB expires rows by a number of seconds since 1970 only`,
        hint: "name a field that holds such a number and declare it bigint, or leave ttl out",
      },
    ];
  }
  if (declaredType === undefined && indexFields.includes(ttl)) {
    return [
      {
        path,
        message: `rows expire by a number, and an index takes "${ttl}" as text`,
        hint: `declare it in columns: { "${ttl}": { "data_type": "bigint" } }`,
      },
    ];
  }
  return [];
}

function indexProblems(
  { name, hash, range, projection }: UncheckedIndex,
  typeOf: (field: string) => DataType | undefined,
  locate: Locate,
): Problem[] {
  const pathOf = (key: string) => locate("table", "indexes", name, key);
  const problems: Problem[] = [];
  if (hash !== undefined && hash === range) {
    problems.push({
      path: pathOf("range"),
      message: "hash and range name the same field",
      hint: "leave range out, or name another field",
    });
  }
  for (const [key, field] of Object.entries({ hash, range })) {
    if (typeof field !== "string" || canBeKey(typeOf(field))) continue;
    problems.push({
      path: pathOf(key),
      message: `"${field}" is declared ${typeOf(field)}, and this type cannot be a key`,
      hint: "declare text, bigint, decimal, double or binary, or name another field",
    });
  }
  if (Array.isArray(projection) && new Set(projection).size < projection.length) {
    problems.push({
      path: pathOf("projection"),
      message: "projection names a field twice",
      hint: "name each field once",
    });
  }
  return problems;
}
