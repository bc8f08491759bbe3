import type { ColumnPlan, FunctionPlan, IndexPlan, TablePlan } from "./plan-types.ts";
import { keyAttribute } from "./rows.ts";
import type { FunctionOptions, IndexOptions, TableOptions } from "./types.ts";

/*
 * The worker and the tables in AWS. A run does not depend on any of these settings.
 */

/** A worker was measured to take 145 to 175 MB; docs/performance.md has the figures. */
const defaultMemoryMb = 512;

/**
 * A worker's environment variables, next to its app and stage. By default Node 24 gives the
 * youngest objects so much room that a worker takes 100 MB more, without saving processor time.
 */
export const workerEnvironment = Object.freeze({ NODE_OPTIONS: "--max-semi-space-size=8" });

export function planFunction(options: FunctionOptions): FunctionPlan {
  const { memory, reserved_concurrency, vpc, sdk_writes = false } = options;
  return {
    memoryMb: memory ?? defaultMemoryMb,
    reservedConcurrency: reserved_concurrency,
    vpc: vpc && { subnets: vpc.subnets, securityGroups: vpc.security_groups },
    sdkWrites: sdk_writes,
  };
}

export function planStorage(table: TableOptions, columns: Record<string, ColumnPlan>): TablePlan {
  return {
    ttl: table.ttl,
    stream: table.stream,
    indexes: Object.entries(table.indexes ?? {}).map(([name, index]) =>
      planIndex(name, index, columns),
    ),
    kmsKey: table.kms_key,
    maxWriteUnits: table.max_write_units,
  };
}

function planIndex(
  name: string,
  { hash, range, projection }: IndexOptions,
  columns: Record<string, ColumnPlan>,
): IndexPlan {
  return {
    name,
    hash: keyAttribute(hash, columns),
    range: range === undefined ? undefined : keyAttribute(range, columns),
    projection: projection ?? "all",
  };
}
