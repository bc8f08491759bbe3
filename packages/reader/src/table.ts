import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Source } from "@tidetable/core";
import { ReadError, registeredName, spellingHint } from "@tidetable/core/internal/config";
import { sdkClient } from "@tidetable/core/internal/tables";
import { planSource, type ResourcePlan, tableName } from "@tidetable/core/plan";
import type { ResourceName } from "./columns.ts";
import { getRow, getRows } from "./get.ts";
import { queryRows } from "./query.ts";
import { scanRows } from "./scan.ts";
import type { TableAccess } from "./table-access.ts";
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
 * Opens the table of a resource for reading. The source's declaration gives the rows their types:
 * no code is generated, and no request is made before the first read. With one type argument the
 * rows have that type, for instance a type that `tidetable types` has written.
 *
 * @example
 * const tickets = table(sources.support, "support_tickets", { stage: "production" });
 * const ticket = await tickets.get({ id: "7" });
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
  const access = openTableAccess(source, resource, options);
  return {
    name: access.table,
    get: (key: AnyKey, options?: GetOptions) => getRow(access, key, options),
    getMany: (keys: readonly AnyKey[], options?: GetOptions) => getRows(access, keys, options),
    query: (hash: AnyKey, options?: QueryOptions & { index?: string }) =>
      queryRows(access, hash, options),
    scan: (options?: ScanOptions) => scanRows(access, options),
  };
}

function openTableAccess(source: Source, resource: string, options: TableOptions): TableAccess {
  const defaults = environmentNames();
  const { app = defaults.app, stage = defaults.stage } = options;
  const sourceName = options.source ?? registeredName(source);
  if (sourceName === undefined) {
    throw new ReadError({
      code: "read.source",
      message: "this source has no name, for it is not registered",
      hint: 'give the name under which it was run: table(source, resource, { source: "crm" })',
    });
  }
  const label = `${sourceName}.${resource}`;
  if (!stage) {
    throw new ReadError({
      code: "read.stage",
      message: `${label}: no stage is given, and each stage has its own table`,
      hint: 'pass { stage: "production" }, set TIDETABLE_STAGE, or run under `npx --no tidetable exec`',
    });
  }
  const plan = findResource(source, sourceName, resource);
  return {
    label,
    table: tableName({ app, stage }, plan),
    plan,
    client: () => options.client ?? sharedClient(),
  };
}

/** The names of the stage: `exec` sets variables of ours, and SST one for each function of an app. */
function environmentNames(): { app: string; stage: string | undefined } {
  const { TIDETABLE_APP, TIDETABLE_STAGE, SST_RESOURCE_App } = process.env;
  const sstApp: { name?: string; stage?: string } = JSON.parse(SST_RESOURCE_App ?? "{}");
  return {
    app: TIDETABLE_APP ?? sstApp.name ?? "tidetable",
    stage: TIDETABLE_STAGE ?? sstApp.stage,
  };
}

function findResource(source: Source, sourceName: string, resource: string): ResourcePlan {
  const { resources } = planSource(source, sourceName);
  const plan = resources.find(({ name }) => name === resource);
  if (!plan) {
    const names = resources.map(({ name }) => name);
    throw new ReadError({
      code: "read.resource",
      message: `${sourceName} has no resource "${resource}"`,
      hint: spellingHint(resource, names) ?? `it has ${names.join(", ")}`,
    });
  }
  if (plan.selected) return plan;
  throw new ReadError({
    code: "read.not_stored",
    message: `${sourceName}.${resource} is read for its children alone, and has no table`,
  });
}

let client: DynamoDBClient | undefined;

/** One client for every table, because tables can share its connections. */
const sharedClient = () => (client ??= sdkClient({ maxAttempts: 5 }));
