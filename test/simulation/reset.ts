import { tableName } from "../../packages/core/src/base/names.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { forgetResource } from "../../packages/core/src/state/forget.ts";
import { forgetSchema } from "../../packages/core/src/state/schemas.ts";
import type { Dynamodb } from "./dynamodb.ts";
import type { Oracle } from "./oracle/oracle.ts";
import type { Platform } from "./platform.ts";
import type { Stage } from "./stage.ts";

/** Somebody types `tidetable reset`, with `--tables` or without; the command can die at each call. */
export function reset(
  stage: Stage,
  what: { resource: string; withTables: boolean },
  { platform, oracle, dynamodb }: { platform: Platform; oracle: Oracle; dynamodb: Dynamodb },
): void {
  const { resource, withTables } = what;
  const { source, sources, names } = platform.deployment;
  const config = sources[source];
  const planned =
    config && planSource(config, source).resources.find(({ name }) => name === resource);
  if (!planned) return;
  stage.count("resets");
  const { process, world } = platform.openProcess(`reset-${stage.time.now()}`);
  oracle.begins(process, {
    resource,
    slot: "own",
    runId: process.name,
    isReset: true,
    isRefresh: false,
  });
  stage.trace(process.name, `resets ${resource}${withTables ? " and its table" : ""}`);
  const place = { source, resource };
  const empty = async () => {
    dynamodb.recreate(tableName(names, planned));
    oracle.emptied(resource);
    await forgetSchema(world, place);
  };
  const also = withTables && planned.selected ? empty : undefined;
  forgetResource(world, place, { owner: process.name, also })
    // Where a worker is at it, the command says so and forgets nothing.
    .catch((error: unknown) => stage.trace(process.name, `has failed: ${error}`))
    .finally(() => process.end());
}
