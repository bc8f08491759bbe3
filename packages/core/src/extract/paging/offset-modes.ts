import { RequestError } from "../../base/errors.ts";
import type { OffsetPlan } from "../../config/plan-types.ts";
import type { JsonValue } from "../../values/json.ts";
import { endsWithTail, findTail, fingerprintRecord, matchOverlap } from "./overlap.ts";
import type {
  AsTheyCome,
  OverlapMemory,
  Overlapping,
  SearchingBack,
  TestingRepetition,
  TestingRounding,
} from "./overlap-memory.ts";

/*
 * Each mode of offset paging has a pure function that reads a page: it returns the new rows and the
 * next memory, or the offset to read instead.
 */

/** A search takes at most eight steps before it goes to the start. */
const MAX_STEPS_BACK = 8;

/** After five restarts the overlap is given up: this API never shows the same rows twice. */
const MAX_RESTARTS = 5;

/** The third search in a row that finds no row moved is blamed on the server's rounding. */
const MAX_NEEDLESS_SEARCHES = 3;

/** The fifth repeated page in a row is no accident. */
const MAX_REPEATS = 4;

export interface OffsetPage {
  /** The offset that the page was asked for at. */
  start: number;
  records: JsonValue[];
}

/** The facts that stay the same while a list is read. */
export interface OffsetList {
  plan: OffsetPlan;
  /** No row at or after this offset is read. */
  end: number;
  /** The fields of a record's key. */
  keyFields: readonly string[];
}

export type PageReading =
  | {
      kind: "rows";
      /** The records that no earlier page had, or had in another version. */
      fresh: JsonValue[];
      /** The number of rows after the overlap. 0: the list may end here. */
      gained: number;
      /** The page begins with the rows of the overlap: no row has moved since the page before. */
      isInPlace?: true;
      memory: Overlapping | AsTheyCome;
    }
  /** The page is not the expected one: paging goes on at `offset`, even where the list seems to end. */
  | { kind: "detour"; offset: number; memory: OverlapMemory };

/** The memory before the page at `start`, where no earlier page left one. */
export function initialMemory({ plan }: OffsetList, start: number): OverlapMemory {
  const progress = { position: start, tail: [], largestPage: 0 };
  if (plan.overlap === 0) {
    return { ...progress, mode: "as-they-come", reason: "configured", repeats: 0 };
  }
  return { ...progress, mode: "overlapping", isProven: false, restarts: 0, needlessSearches: 0 };
}

export function readOffsetPage(
  page: OffsetPage,
  memory: OverlapMemory,
  list: OffsetList,
): PageReading {
  switch (memory.mode) {
    case "overlapping":
    case "testing-rounding":
      return readOverlapping(page, memory, list);
    case "searching-back":
      return readSearchingBack(page, memory, list);
    case "testing-repetition":
      return readRepetition(page, memory, list);
    case "as-they-come":
      return readAsTheyCome(page, memory, list);
  }
}

function readOverlapping(
  page: OffsetPage,
  memory: Overlapping | TestingRounding,
  list: OffsetList,
): PageReading {
  const { start, records } = page;
  const { position, tail, isProven, restarts } = memory;
  if (position === start) {
    const progress = progressAfter(page, memory.largestPage, list);
    const next = { ...memory, ...progress, mode: "overlapping" } as const;
    return { kind: "rows", fresh: records, gained: records.length, memory: next };
  }
  const overlap = position - start;
  // A server that has begun a page at its offset does not round.
  const rounding = isProven ? 0 : start % list.plan.limit;
  const match = matchOverlap(records, { tail, overlap, rounding }, list.keyFields);
  if (match.kind === "rounded") return testRounding(memory, overlap);
  // planted: lost-overlap
  if (match.kind === "lost") return searchBack(page, memory, list);
  const continued = match.inPlace ? { tail, known: match.end } : undefined;
  const progress = progressAfter(page, memory.largestPage, list, continued);
  return {
    kind: "rows",
    fresh: beforeEnd(match.fresh, page, list),
    gained: records.length - match.end,
    ...(match.inPlace ? { isInPlace: true as const } : {}),
    memory: { ...progress, mode: "overlapping", isProven: true, restarts, needlessSearches: 0 },
  };
}

/** The first rounded page may be chance; a second, after another overlap, is not. */
function testRounding(memory: Overlapping | TestingRounding, overlap: number): PageReading {
  const { position, tail, largestPage } = memory;
  if (memory.mode === "overlapping") {
    const otherOverlap = overlap > 1 ? 1 : Math.min(2, tail.length);
    const offset = position - otherOverlap;
    return { kind: "detour", offset, memory: { ...memory, mode: "testing-rounding" } };
  }
  const progress = { position, tail, largestPage };
  return {
    kind: "detour",
    offset: position,
    // Both rounded pages showed rows of the page before.
    memory: { ...progress, mode: "as-they-come", reason: "rounds", repeats: 2 },
  };
}

/** The tail is missing: rows before it have gone, and later rows have moved to smaller offsets. */
function searchBack(
  page: OffsetPage,
  memory: Overlapping | TestingRounding | SearchingBack,
  list: OffsetList,
): PageReading {
  const { start, records } = page;
  const { plan, keyFields } = list;
  const { position, tail, largestPage } = memory;
  if (start > plan.offset) {
    const steps = memory.mode === "searching-back" ? memory.steps : 0;
    const stride = Math.max(1, largestPage - tail.length);
    const offset = steps < MAX_STEPS_BACK ? Math.max(plan.offset, start - stride) : plan.offset;
    const next = { ...memory, mode: "searching-back", steps: steps + 1 } as const;
    return { kind: "detour", offset, memory: next };
  }
  if (memory.isProven || keyFields.length > 0) {
    if (memory.restarts < MAX_RESTARTS) return readAgainFromStart(page, memory, list);
    return giveUpOverlap(memory);
  }
  const lastRecords = records.slice(-plan.overlap);
  const fingerprints = lastRecords.map((record) => fingerprintRecord(record, keyFields));
  const progress = { position, tail: fingerprints, largestPage };
  return { kind: "detour", offset: start, memory: { ...progress, mode: "testing-repetition" } };
}

function readSearchingBack(page: OffsetPage, memory: SearchingBack, list: OffsetList): PageReading {
  const { start, records } = page;
  const end = findTail(records, memory.tail, list.keyFields);
  if (end === undefined) return searchBack(page, memory, list);
  const progress = progressAfter(page, memory.largestPage, list);
  const fresh = beforeEnd(records.slice(end), page, list);
  const gained = records.length - end;
  const hasMoved = start + end !== memory.position;
  const needlessSearches = hasMoved ? 0 : memory.needlessSearches + 1;
  if (needlessSearches === MAX_NEEDLESS_SEARCHES) {
    const next = { ...progress, mode: "as-they-come", reason: "rounds", repeats: 0 } as const;
    return { kind: "rows", fresh, gained, memory: next };
  }
  const { restarts } = memory;
  const next = {
    ...progress,
    mode: "overlapping",
    isProven: true,
    restarts,
    needlessSearches,
  } as const;
  return { kind: "rows", fresh, gained, memory: next };
}

/** The page at the start came for the second time. */
function readRepetition(
  page: OffsetPage,
  memory: TestingRepetition,
  list: OffsetList,
): PageReading {
  const isRepeated = findTail(page.records, memory.tail, list.keyFields) !== undefined;
  if (!isRepeated) return giveUpOverlap(memory);
  return readAgainFromStart(page, { ...memory, isProven: true, restarts: 0 }, list);
}

function readAsTheyCome(page: OffsetPage, memory: AsTheyCome, list: OffsetList): PageReading {
  const { start, records } = page;
  const { limit } = list.plan;
  const { tail, largestPage, reason, repeats } = memory;
  const isFull = records.length >= largestPage;
  if (tail.length > 0 && isFull && endsWithTail(records, tail, list.keyFields)) {
    // The server rounded to a whole page after a short one, or ignores the offset.
    if (repeats >= MAX_REPEATS) throw endlessPagesError();
    const position = (Math.floor(start / limit) + 1) * limit;
    return {
      kind: "detour",
      offset: position,
      memory: { ...memory, position, repeats: repeats + 1 },
    };
  }
  const progress = progressAfter(page, largestPage, list);
  // A server that rounds has the next row at the next whole page, even after a short page.
  const isStretched = reason === "rounds" && progress.position > start;
  const position = isStretched ? start + progress.largestPage : progress.position;
  return {
    kind: "rows",
    fresh: records,
    gained: records.length,
    memory: { ...memory, ...progress, position, tail: [] },
  };
}

function giveUpOverlap({ position, largestPage }: OverlapMemory): PageReading {
  const progress = { position, tail: [], largestPage };
  const memory = { ...progress, mode: "as-they-come", reason: "differs", repeats: 0 } as const;
  return { kind: "detour", offset: position, memory };
}

/** Takes every record of the page at the start as new. */
function readAgainFromStart(
  page: OffsetPage,
  { largestPage, isProven, restarts }: Pick<Overlapping, "largestPage" | "isProven" | "restarts">,
  list: OffsetList,
): PageReading {
  const { records } = page;
  const memory: Overlapping = {
    ...progressAfter(page, largestPage, list),
    mode: "overlapping",
    isProven,
    restarts: restarts + 1,
    needlessSearches: 0,
  };
  return { kind: "rows", fresh: records, gained: records.length, memory };
}

/** The progress after a page. `continued`: the page begins with `known` rows, the end of `tail`. */
function progressAfter(
  { start, records }: OffsetPage,
  largestPage: number,
  { plan, keyFields }: OffsetList,
  continued: { tail: string[]; known: number } = { tail: [], known: 0 },
) {
  // Rows beyond the limit will stand on the next page again.
  const received = /* planted: step-of-offset */ Math.min(records.length, plan.limit);
  const added = lastOf(records.slice(continued.known, received), plan.overlap);
  const fingerprints = added.map((record) => fingerprintRecord(record, keyFields));
  return {
    position: start + received,
    tail: lastOf([...continued.tail, ...fingerprints], plan.overlap),
    largestPage: Math.max(largestPage, received),
  };
}

const lastOf = <T>(list: readonly T[], count: number): T[] => (count > 0 ? list.slice(-count) : []);

/** Drops the records after the end of the list. Fresh records stand at the end of their page. */
function beforeEnd(fresh: JsonValue[], { start, records }: OffsetPage, { end }: OffsetList) {
  const surplus = start + records.length - end;
  return surplus > 0 ? fresh.slice(0, -surplus) : fresh;
}

const endlessPagesError = () =>
  new RequestError({
    code: "extract.loop",
    message: "the API sends the same records whatever offset is asked for",
    hint: "check the paginator: does the API know its parameters under these names?",
    retryable: false,
  });
