import type { Random } from "../random.ts";
import {
  type CursorDraw,
  families,
  isNumbered,
  type Level,
  movesOn,
  type Order,
  type Paging,
  type RowKind,
  rowKinds,
  type StampFormat,
} from "./levels.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const names = ["users", "posts", "comments"] as const;

/** The time of the API's clock when a history begins. */
export interface Start {
  now: number;
  /** The API's rows appear some time after the time that stands in them; at most so many seconds. */
  lateSeconds: number;
}

/** One to three levels of resources, each drawn by itself as far as the ones above allow. */
export function drawLevels(random: Random, start: Start): Level[] {
  const depth = random.pick([1, 1, 2, 2, 2, 3, 3]);
  const levels: Level[] = [];
  for (let n = 1; n <= depth; n++) {
    levels.push(drawLevel(random, n as Level["depth"], { isLast: n === depth, levels, start }));
  }
  return levels;
}

interface Place {
  isLast: boolean;
  levels: readonly Level[];
  start: Start;
}

function drawLevel(random: Random, depth: Level["depth"], place: Place): Level {
  const { isLast, levels } = place;
  const isStored = isLast || random.chance(0.75);
  const rows = random.pick<RowKind>([...rowKinds, "merge", "merge", "replace"]);
  const cursor = drawCursor(random, { depth, rows, place });
  const paging = drawPaging(random, depth);
  const orders: Order[] = ["id", "newest", "shuffled", "stamp", "stamp_desc"];
  const order = cursor?.saysOrder
    ? random.pick<Order>(["stamp", "stamp_desc"])
    : random.pick(orders);
  const needsRange = levels.some((one) => one.cursor?.initial !== undefined);
  // Where rows do not tell the range of their parent, a replace is refused, and a refresh cannot sweep.
  const tellsRange = needsRange && depth === 2 && random.chance(0.8);
  const include = random.pick<Level["include"]>([[], [], ["id"], ["updated_at"]]);
  return {
    depth,
    name: names[depth - 1] as string,
    isStored,
    rows,
    cursor,
    paging,
    order,
    include: depth === 1 ? [] : tellsRange ? ["updated_at"] : include,
    onMissing: depth > 1 && random.chance(0.2) ? "skip" : undefined,
    onError: depth > 1 && random.chance(0.2) ? "skip" : undefined,
    writes: random.pick([undefined, undefined, "compare", "fingerprints"]),
    parallelPages: drawParallel(random, paging),
    allowsShrink: random.chance(0.3),
  };
}

function drawParallel(random: Random, paging: Paging): number | undefined {
  if (!isNumbered(paging)) return random.pick([undefined, undefined, 1, 6]);
  return random.pick([undefined, undefined, 3]);
}

function drawPaging(random: Random, depth: number): Paging {
  const family = random.pick(families);
  const sizes = depth === 1 ? [2, 3, 5, 12, 15] : [2, 3, 12];
  const limit = random.pick(sizes);
  const totals: Paging["total"][] = ["always", "once", "never"];
  const isLink = family === "json_link" || family === "header_link";
  const isCounted = family === "page_number" || family === "offset";
  const paging: Paging = {
    family,
    by: isCounted || (isLink && random.chance(0.4)) ? "number" : "key",
    limit,
    cap: random.pick([1000, 1000, 1000, family === "offset" && limit >= 10 ? 11 : 7]),
    overlap: family === "offset" && random.chance(0.15) ? 0 : undefined,
    total: random.pick(totals),
    basePage: random.pick([0, 1]),
    isDetected: family !== "offset" && random.chance(0.2),
  };
  // Numbered pages that name no number of pages do not show that they are pages.
  const isShown = family !== "page_number" || paging.total !== "never";
  return { ...paging, isDetected: paging.isDetected && isShown };
}

function drawCursor(
  random: Random,
  { depth, rows, place }: { depth: number; rows: RowKind; place: Place },
): CursorDraw | undefined {
  if (!random.chance(depth === 1 ? 0.6 : 0.3)) return undefined;
  const { levels, start } = place;
  const isBelowCursor = levels.some(movesOn);
  // Some of these are refused: one cursor below a cursor, children below cursors per parent.
  const isPerParent = depth > 1 && random.chance(isBelowCursor ? 0.6 : 0.5);
  const format = random.pick(formats);
  const kind = isPerParent
    ? "moving"
    : random.pick(["moving", "moving", "moving", "ranged"] as const);
  const isRanged = kind === "ranged";
  const range = isRanged ? drawRange(random, format, start) : {};
  const hasEnd = "end" in range && range.end !== undefined;
  return {
    format,
    lag: hasEnd ? 0 : lagFor(random, format, start, rows),
    initial: undefined,
    end: undefined,
    step: undefined,
    rangeStart: "closed",
    rangeEnd: "open",
    isPerParent,
    saysOrder: random.chance(0.25),
    isFiltered: random.chance(0.7),
    ...range,
  };
}

const formats: StampFormat[] = ["iso", "iso", "iso_s", "epoch_s", "date", "rfc", "naive"];

/** A cursor has to go back as far as rows appear late. */
function lagFor(random: Random, format: StampFormat, start: Start, rows: RowKind): number {
  const least = format === "date" ? Math.ceil(start.lateSeconds / 86_400) : start.lateSeconds;
  return least + (rows !== "append" && random.chance(0.2) ? 1 : 0);
}

/** From some time on, or a backfill from one time to another, also in steps. */
function drawRange(random: Random, format: StampFormat, { now }: Start): Partial<CursorDraw> {
  const grain = format === "date" ? DAY : HOUR;
  const floor = (ms: number) => Math.floor(ms / grain) * grain;
  const initial = floor(now - random.between(1, 4) * DAY);
  if (random.chance(0.4)) return { initial };
  const end = floor(now + random.pick([-1, 2]) * DAY);
  if (end <= initial || random.chance(0.4)) return { initial, end: Math.max(end, initial + grain) };
  // Half a day is no step for dates, and is refused.
  const step = random.pick([format === "date" ? DAY / 2 : 3 * DAY, DAY, 2 * DAY]);
  return {
    initial,
    end,
    step,
    rangeStart: random.pick(["open", "closed"]),
    rangeEnd: random.pick(["open", "closed"]),
  };
}
