import { stateTableName, tableName } from "../../packages/core/src/base/names.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { stateTable, tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { openApi } from "./api.ts";
import { openDynamodb } from "./dynamodb.ts";
import { openOracle } from "./oracle.ts";
import { openPlatform } from "./platform.ts";
import { randomFrom } from "./random.ts";
import { shopFrom } from "./shop.ts";
import { type History, openStage } from "./stage.ts";
import { timeline } from "./timeline.ts";
import { weatherFrom } from "./weather.ts";

const MINUTE = 60_000;
/** Between two schedules under fire, and in the peace after it. */
const INTERVAL = 10 * MINUTE;
const PEACE_INTERVAL = 4 * MINUTE;
/** Longer than any wait that the API asks for and any pause of a worker. */
const REST = 16 * MINUTE;

const names = { app: "tidetable", stage: "simulation" };
const source = "shop";

/**
 * One history of the real engine in a world made from a seed: an API, a DynamoDB and a platform
 * that fail, workers that die, and one time for all of them. Ends at the first broken invariant.
 *
 * @example (await simulate(4711)).violations
 */
export async function simulate(seed: number, { ticks = 3 } = {}): Promise<History> {
  const random = randomFrom(seed);
  const time = timeline();
  const peace = ticks * INTERVAL;
  const weather = weatherFrom(random.split("weather"), time.now, { until: peace });
  const { stage, violations, history } = openStage(seed, { time, random, weather });

  const shop = shopFrom(random.split("shop"));
  const planned = planSource(shop.source, source);
  const tables = Object.fromEntries(
    planned.resources.map((resource) => [resource.name, tableName(names, resource)]),
  );
  const api = openApi(stage, shop.kinds);
  const oracle = openOracle(stage, {
    models: api.models,
    tables,
    ordered: new Set(
      planned.resources.filter((one) => one.writeMode.kind === "ordered").map(({ name }) => name),
    ),
    stateTable: stateTableName(names),
    dynamodb: () => dynamodb,
  });
  const dynamodb = openDynamodb(
    {
      [stateTableName(names)]: stateTable,
      ...Object.fromEntries(
        planned.resources.map((one) => [tableName(names, one), tableDefinition(one)]),
      ),
    },
    { now: time.now, readsOld: () => weather.strikes("old_read"), changed: oracle.changed },
  );
  const platform = openPlatform(
    stage,
    { names, source, sources: { [source]: shop.source } },
    { api, dynamodb, watcher: oracle },
  );

  const end = peace + REST + 2 * PEACE_INTERVAL;
  for (let n = 0; n < ticks; n++) time.at(n * INTERVAL, platform.tick);
  for (let at = MINUTE; at < end; at += MINUTE) time.at(at, platform.resume);
  for (let at = MINUTE; at < peace; at += random.between(0, 2 * MINUTE)) {
    time.at(at, () => stage.trace("api", random.pick(Object.values(api.models)).mutate()));
  }
  if (random.chance(0.3)) time.at(random.between(0, peace), api.rotate);
  time.at(peace, () => {
    weather.calm = true;
  });
  time.at(peace + REST, platform.tick);
  time.at(peace + REST + PEACE_INTERVAL, platform.tick);
  time.at(end, oracle.atRest);

  let over = false;
  time.at(end + 1, () => {
    over = true;
  });
  // Lambda would end the process, and whoever runs in it.
  const unhandled = (reason: unknown) => stage.violated("I4", `nobody catches ${reason}`);
  process.on("unhandledRejection", unhandled);
  await time.play(() => over || violations.length > 0);
  process.off("unhandledRejection", unhandled);
  return history();
}
