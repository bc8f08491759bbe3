import type { ScheduleEvent } from "../../packages/core/src/entry/events.ts";
import { type Level, movesOn } from "./draw/levels.ts";
import { EPOCH } from "./process.ts";
import type { Random } from "./random.ts";

/* What happens to a source from outside: schedules, people, deployments. */

const MINUTE = 60_000;

export type Happening =
  | { kind: "event"; event: ScheduleEvent }
  | { kind: "reset"; resource: string; withTables: boolean }
  | { kind: "deploy" }
  | { kind: "new credential" };

/** One of these at a time of the history. */
export type Timed = Happening & { at: number };

export const SOURCE = "shop";

/** A plain schedule, as EventBridge sends it. */
export const scheduleAt = (at: number): ScheduleEvent => ({
  source: SOURCE,
  time: new Date(EPOCH + at).toISOString(),
});

export const refreshAt = (at: number): ScheduleEvent => ({
  ...scheduleAt(at),
  full_refresh: true,
  confirm: SOURCE,
});

/** All that happens in the part of a history in which everything may fail. */
export function drawHappenings(
  random: Random,
  levels: readonly Level[],
  { until, grows }: { until: number; grows: boolean },
): Timed[] {
  const happenings: Timed[] = [];
  for (let at = 0; at < until; at += random.pick([4, 7, 10, 10]) * MINUTE) {
    happenings.push(...drawAt(random, levels, at));
  }
  if (random.chance(0.2)) {
    happenings.push({ kind: "new credential", at: random.between(0, until) });
  }
  if (grows || random.chance(0.2)) {
    happenings.push({ kind: "deploy", at: random.between(0, until) });
  }
  return happenings;
}

function drawAt(random: Random, levels: readonly Level[], at: number): Timed[] {
  const draw = random.next();
  const some = at + random.between(0, 3 * MINUTE);
  const event = (one: ScheduleEvent, time = at): Timed => ({ kind: "event", event: one, at: time });
  const name = random.pick(levels.filter((level) => level.isStored)).name;
  const alone = { resources: [name] };
  if (draw < 0.4) return [event(scheduleAt(at))];
  if (draw < 0.5) return [event(refreshAt(at))];
  // Two of one minute: each is a fan-out of its own.
  if (draw < 0.6) {
    const pair = [event(scheduleAt(at)), event(refreshAt(at), at + random.between(0, 90_000))];
    return random.chance(0.5) ? pair : pair.reverse();
  }
  if (draw < 0.7) return [event({ ...scheduleAt(at), ...alone })];
  if (draw < 0.78) return [event({ ...refreshAt(at), ...alone })];
  if (draw < 0.86) return [event(scheduleAt(at)), event({ ...scheduleAt(some), ...alone }, some)];
  if (draw < 0.92) {
    const sample: ScheduleEvent = { ...scheduleAt(some), limit_pages: random.between(1, 3) };
    const part = random.chance(0.5) ? { ...sample, ...alone } : sample;
    return [event(scheduleAt(at)), event(part, some)];
  }
  const resource = random.pick(levels).name;
  const reset: Timed = { kind: "reset", resource, withTables: random.chance(0.5), at: some };
  return [event(scheduleAt(at)), reset];
}

/** The settings of a level that a deployment may change without another table. */
export function changedLevel(random: Random, level: Level): Level {
  // Of other families the API decides how long its pages are.
  const isAsked = level.paging.family === "offset";
  const limit = isAsked ? random.pick([2, 3, 12, 15]) : level.paging.limit;
  const paging = { ...level.paging, limit };
  const writes = random.pick([undefined, "compare", "fingerprints"] as const);
  const { cursor } = level;
  const hasRange = cursor?.initial !== undefined && cursor.end === undefined && movesOn(level);
  if (!cursor || !hasRange) return { ...level, paging, writes };
  const day = 86_400_000;
  const initial = (cursor.initial ?? 0) + random.pick([-1, 1]) * day;
  return { ...level, paging, writes, cursor: { ...cursor, initial } };
}
