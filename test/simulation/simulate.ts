import { stateTableName, tableName } from "../../packages/core/src/base/names.ts";
import { validate } from "../../packages/core/src/config/check/validate.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import type { Source } from "../../packages/core/src/config/source.ts";
import { stateTable, tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { Api } from "./api/api.ts";
import { Dataset } from "./api/dataset.ts";
import { configOf } from "./draw/config.ts";
import { isKeyed, type Level } from "./draw/levels.ts";
import { drawLevels, type Start } from "./draw/levels-draw.ts";
import { openDynamodb } from "./dynamodb.ts";
import { featuresOf } from "./features-of.ts";
import {
  changedLevel,
  drawHappenings,
  type Happening,
  refreshAt,
  SOURCE,
  scheduleAt,
} from "./happenings.ts";
import { Oracle } from "./oracle/oracle.ts";
import { Platform } from "./platform.ts";
import { EPOCH } from "./process.ts";
import { randomFrom } from "./random.ts";
import { reset } from "./reset.ts";
import { type History, openStage, type Stage } from "./stage.ts";
import { timeline } from "./timeline.ts";
import { weatherFrom } from "./weather.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** How long everything may fail. */
const STORM = 32 * MINUTE;
/** Longer than any wait that the API asks for and any pause of a worker. */
const REST = 20 * MINUTE;
/** Ticks go on for so long after each fan-out in the peace, one every two minutes. */
const TICKS = 14 * MINUTE;

const names = { app: "tidetable", stage: "simulation" };

/**
 * One history of the real engine in a world made from a seed: a config, an API, a DynamoDB and a
 * platform that fail, workers that die, and one time for all of them. Ends at the first broken
 * invariant.
 *
 * @example (await simulate(4711)).violations
 */
export async function simulate(
  seed: number,
  { tailLines }: { tailLines?: number } = {},
): Promise<History> {
  const random = randomFrom(seed);
  const time = timeline();
  const weather = weatherFrom(random.split("weather"), time.now, { until: STORM });
  const { stage, violations, history } = openStage(
    seed,
    { time, random, weather },
    tailLines === undefined ? {} : { tailLines },
  );
  const world = openWorld(stage);
  const { end, happenings } = play(stage, world);

  let isOver = false;
  time.at(end + 1, () => {
    isOver = true;
  });
  // Lambda would end the process, and whoever runs in it.
  const unhandled = (reason: unknown) => stage.violated("I4", `nobody catches ${reason}`);
  process.on("unhandledRejection", unhandled);
  await time.play(() => isOver || violations.length > 0);
  process.off("unhandledRejection", unhandled);
  const levels = world.grown ?? world.levels;
  const { hasOddParents } = world;
  return history(featuresOf({ levels, happenings, hasOddParents }));
}

/** Levels whose config the engine takes: what it refuses is drawn again. */
function drawAccepted(stage: Stage, draw: () => Level[]): { levels: Level[]; source: Source } {
  for (;;) {
    const levels = draw();
    const source = configOf(levels);
    const problems = validate(source, SOURCE);
    if (problems.length === 0) return { levels, source };
    stage.count("configs_refused");
    stage.trace("config", `refused: ${problems.map(({ message }) => message).join("; ")}`);
  }
}

type World = ReturnType<typeof openWorld>;

function openWorld(stage: Stage) {
  const random = stage.random.split("source");
  const clockError = random.between(-120_000, 120_000);
  const clock = () => EPOCH + stage.time.now() + clockError;
  const start: Start = { now: clock(), lateSeconds: random.chance(0.3) ? 90 : 0 };
  const { levels: all, source: whole } = drawAccepted(stage, () => drawLevels(random, start));
  // A resource at the end of the chain may be deployed later.
  const first = all.slice(0, -1);
  const mayGrow = first.length > 0 && first.at(-1)?.isStored && random.chance(0.15);
  const levels = mayGrow ? first : all;
  const source = mayGrow ? configOf(levels) : whole;
  for (const level of levels) stage.trace("config", JSON.stringify(level));
  const hasOddParents = random.chance(0.4);
  const dataset = new Dataset(
    {
      depth: all.length,
      hasKeys: all.map((level) => isKeyed(level) || level.rows === "append_keyed"),
      clock,
      now: stage.time.now,
      lateMs: start.lateSeconds * 1_000,
      hasOddParents,
    },
    random.split("dataset"),
  );
  const api = new Api(stage, { levels: all, dataset, clock });
  const planned = planSource(whole, SOURCE);
  const tables = Object.fromEntries(
    planned.resources.map((resource) => [resource.name, tableName(names, resource)]),
  );
  const stateName = stateTableName(names);
  const oracle = new Oracle(stage, {
    levels,
    dataset,
    tables,
    stateTable: stateName,
    dynamodb: () => dynamodb,
  });
  const dynamodb = openDynamodb(
    {
      [stateName]: stateTable,
      ...Object.fromEntries(
        planned.resources.map((one) => [tableName(names, one), tableDefinition(one)]),
      ),
    },
    {
      now: stage.time.now,
      readsOld: () => stage.weather.strikes("old_read"),
      changed: (change) => oracle.changed(change),
    },
  );
  const deployment = { names, source: SOURCE, sources: { [SOURCE]: source } };
  const platform = new Platform(stage, deployment, { api, dynamodb, watcher: oracle });
  const grown = mayGrow ? all : undefined;
  return { random, levels, grown, hasOddParents, api, oracle, dynamodb, platform };
}

/** Puts the whole history on the timeline. Returns when it ends. */
function play(stage: Stage, world: World): { end: number; happenings: Happening[] } {
  const { time } = stage;
  const { random, api, oracle, platform } = world;
  const { levels, grown } = world;
  const happenings = drawHappenings(random, levels, { until: STORM, grows: grown !== undefined });
  for (const happening of happenings) {
    time.at(happening.at, () => happen(stage, world, happening));
  }
  for (let at = MINUTE; at < STORM + REST; at += MINUTE) time.at(at, () => platform.resume());
  for (let at = MINUTE; at < STORM; at += random.between(0, 2 * MINUTE)) {
    time.at(at, () => api.mutate());
  }
  time.at(STORM, () => {
    stage.weather.calm = true;
    if (random.chance(0.8)) api.dataset.heal();
    stage.trace("world", "is calm from now on");
  });

  // After a day every resource is gone back for, however often it has failed.
  let at = STORM + REST;
  for (const pause of [0, DAY, 0]) {
    at += pause;
    at = peacefully(stage, world, at, () => platform.send(scheduleAt(stage.time.now())));
    if (pause > 0) time.at(at, () => oracle.expectNoRewrites());
  }
  time.at(at, () => oracle.atRest());
  if (!random.chance(0.6)) return { end: at, happenings };
  for (let n = 0; n < 2; n++) {
    at = peacefully(stage, world, at + 1, () => platform.send(refreshAt(stage.time.now())));
  }
  time.at(at, () => oracle.atRest());
  return { end: at, happenings };
}

/** One fan-out in the peace, and the ticks that go on with it. Returns when all is done. */
function peacefully(stage: Stage, { platform }: World, at: number, send: () => void): number {
  stage.time.at(at, send);
  for (let tick = 2 * MINUTE; tick < TICKS; tick += 2 * MINUTE) {
    stage.time.at(at + tick, () => platform.resume());
  }
  return at + TICKS;
}

function happen(stage: Stage, world: World, happening: Happening) {
  const { api, platform } = world;
  switch (happening.kind) {
    case "event":
      return platform.send(happening.event);
    case "reset":
      return reset(stage, happening, world);
    case "new credential":
      return api.rotate();
    case "deploy":
      deploy(stage, world);
  }
}

/** A resource more, or other settings of those that there are. */
function deploy(stage: Stage, { random, grown, api, oracle, platform }: World): void {
  const next = random.split("deploy");
  stage.count("config_changes");
  const { levels, source } = grown
    ? { levels: grown, source: configOf(grown) }
    : drawAccepted(stage, () => api.levels.map((level) => changedLevel(next, level)));
  for (const level of levels) stage.trace("config", JSON.stringify(level));
  api.levels = levels;
  oracle.deployed(levels);
  platform.deployment = { ...platform.deployment, sources: { [SOURCE]: source } };
}
