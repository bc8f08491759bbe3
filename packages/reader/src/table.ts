import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  dynamodbClient,
  plan,
  ReadError,
  registeredName,
  type Source,
  suggest,
  tableName,
} from "@tidetable/core";
import type { ResourceName } from "./columns.ts";
import { get, getMany } from "./get.ts";
import type { Place } from "./place.ts";
import { query } from "./query.ts";
import { scan } from "./scan.ts";
import type {
  AnyKey,
  AnyTable,
  GetOptions,
  QueryOptions,
  ScanOptions,
  TableOf,
  TableOptions,
} from "./types.ts";

/**
 * A resource's table, to be read. Its rows are typed by what the source declares; nothing is
 * generated, and nothing is requested before the first question. With one type argument the rows
 * are of that type, such as `tidetable types` writes.
 *
 * @example
 * const tickets = table(sources.support, "support_tickets", { stage: "production" });
 * const one = await tickets.get({ id: "7" });
 */
export function table<
  Row = never,
  const S extends Source = Source,
  const Name extends ResourceName<S> = ResourceName<S>,
>(
  source: S,
  resource: Name,
  options?: TableOptions,
): [Row] extends [never] ? TableOf<S, Name> : AnyTable<Row>;
export function table(source: Source, resource: string, options: TableOptions = {}) {
  const place = placeOf(source, resource, options);
  return {
    name: place.table,
    get: (key: AnyKey, how?: GetOptions) => get(place, key, how),
    getMany: (keys: readonly AnyKey[], how?: GetOptions) => getMany(place, keys, how),
    query: (hash: AnyKey, how?: QueryOptions & { index?: string }) => query(place, hash, how),
    scan: (how?: ScanOptions) => scan(place, how),
  };
}

function placeOf(source: Source, resource: string, options: TableOptions): Place {
  const { app = "tidetable", stage = process.env.TIDETABLE_STAGE } = options;
  const name = options.source ?? registeredName(source);
  if (name === undefined) {
    throw new ReadError({
      code: "read.source",
      message: "this source has no name, for it is not registered",
      hint: 'give the name under which it was run: table(source, resource, { source: "crm" })',
    });
  }
  if (!stage) {
    throw new ReadError({
      code: "read.stage",
      message: `${name}.${resource}: no stage is named, and its table is another one in each`,
      hint: 'pass { stage: "production" }, set TIDETABLE_STAGE, or run under `npx tidetable exec`',
    });
  }
  const { resources } = plan(source, name);
  const found = resources.find((one) => one.name === resource);
  if (!found) {
    const known = resources.map((one) => one.name);
    throw new ReadError({
      code: "read.resource",
      message: `${name} has no resource "${resource}"`,
      hint: suggest(resource, known) ?? `it has ${known.join(", ")}`,
    });
  }
  if (!found.selected) {
    throw new ReadError({
      code: "read.not_stored",
      message: `${name}.${resource} is read for its children alone, and has no table`,
    });
  }
  return {
    about: `${name}.${resource}`,
    table: tableName({ app, stage }, found),
    plan: found,
    client: () => options.client ?? ownClient(),
  };
}

let client: DynamoDBClient | undefined;

/** One for all tables: they share its connections. */
const ownClient = () => (client ??= dynamodbClient({ maxAttempts: 5 }));
