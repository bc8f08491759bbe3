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
 * A page of an offset paginator is read by the function of the mode that paging is in. Every function
 * is pure: it returns the new rows of the page and the memory after it, or where to read instead.
 */

/** A search reads so many pages one by one before it goes to the start. */
const MAX_STEPS_BACK = 8;

/** After so many restarts, an API that never shows the same rows twice is read as pages come. */
const MAX_RESTARTS = 5;

/** So many searches in a row without a moved row are blamed on the server. */
const MAX_NEEDLESS_SEARCHES = 3;

/** So many repeated pages in a row are no accident. */
const MAX_REPEATS = 4;

export interface OffsetPage {
  /** The offset that the page was asked for at. */
  start: number;
  records: JsonValue[];
}

/** What is fixed while a list is read. */
export interface OffsetList {
  plan: OffsetPlan;
  /** No row at or after this offset is read. */
  end: number;
  /** The fields that identify a record. */
  keyFields: readonly string[];
}

export type PageReading =
  | {
      kind: "rows";
      /** The records that were not read before. */
      fresh: JsonValue[];
      /** Rows that no earlier page had. After 0 there is nothing at `memory.position`. */
      gained: number;
      memory: Overlapping | AsTheyCome;
    }
  /** The page was not the one that was asked for: paging goes on at `offset`, even after an end. */
  | { kind: "detour"; offset: number; memory: OverlapMemory };

/** The memory before the page at `start`, where no earlier page left one. */
export function initialMemory({ plan }: OffsetList, start: number): OverlapMemory {
  const progress = { position: start, tail: [], largestPage: 0 };
  return plan.overlap === 0
    ? { ...progress, mode: "as-they-come", reason: "configured", repeats: 0 }
    : {
        ...progress,
        mode: "overlapping",
        isProven: false,
        restarts: 0,
        needlessSearches: 0,
      };
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
  // A server that began one page at its offset does not round.
  const rounding = isProven ? 0 : start % list.plan.limit;
  const match = matchOverlap(records, { tail, overlap, rounding }, list.keyFields);
  if (match.kind === "rounded") return testRounding(memory, overlap);
  if (match.kind === "lost") return searchBack(page, memory, list);
  const continued = match.inPlace ? { tail, known: match.end } : undefined;
  const progress = progressAfter(page, memory.largestPage, list, continued);
  return {
    kind: "rows",
    fresh: beforeEnd(match.fresh, page, list),
    gained: records.length - match.end,
    memory: { ...progress, mode: "overlapping", isProven: true, restarts, needlessSearches: 0 },
  };
}

/** One rounded page may be chance; the same after another overlap is not. */
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

/** The rows before this page are not those that were read: some have gone, so their places moved. */
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
  return {
    kind: "detour",
    offset: start,
    memory: {
      mode: "testing-repetition",
      position,
      tail: lastRecords.map((record) => fingerprintRecord(record, keyFields)),
      largestPage,
    },
  };
}

function readSearchingBack(page: OffsetPage, memory: SearchingBack, list: OffsetList): PageReading {
  const { start, records } = page;
  const end = findTail(records, memory.tail, list.keyFields);
  if (end === undefined) return searchBack(page, memory, list);
  const progress = progressAfter(page, memory.largestPage, list);
  const fresh = records.slice(end);
  const gained = records.length - end;
  const hasMoved = start + end !== memory.position;
  const needlessSearches = hasMoved ? 0 : memory.needlessSearches + 1;
  if (needlessSearches === MAX_NEEDLESS_SEARCHES) {
    const next = { ...progress, mode: "as-they-come", reason: "rounds", repeats: 0 } as const;
    return { kind: "rows", fresh, gained, memory: next };
  }
  return {
    kind: "rows",
    fresh: hasMoved ? beforeEnd(fresh, page, list) : fresh,
    gained,
    memory: {
      ...progress,
      mode: "overlapping",
      isProven: true,
      restarts: memory.restarts,
      needlessSearches,
    },
  };
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
    // Either the server rounded to a whole page after a short one, or it does not know the offset.
    if (repeats >= MAX_REPEATS) throw endlessPagesError();
    const position = (Math.floor(start / limit) + 1) * limit;
    return {
      kind: "detour",
      offset: position,
      memory: { ...memory, position, repeats: repeats + 1 },
    };
  }
  const progress = progressAfter(page, largestPage, list);
  // Where offsets are rounded, even a short page is followed by one at the next whole page.
  const isStretched = reason === "rounds" && progress.position > start;
  const position = isStretched ? start + progress.largestPage : progress.position;
  return {
    kind: "rows",
    fresh: records,
    gained: records.length,
    memory: { ...memory, ...progress, position, tail: [] },
  };
}

const giveUpOverlap = ({
  position,
  largestPage,
}: Pick<OverlapMemory, "position" | "largestPage">): PageReading => ({
  kind: "detour",
  offset: position,
  memory: {
    mode: "as-they-come",
    reason: "differs",
    repeats: 0,
    position,
    tail: [],
    largestPage,
  },
});

/** Takes all of the page at the start as new. */
function readAgainFromStart(
  page: OffsetPage,
  memory: Pick<Overlapping, "largestPage" | "isProven" | "restarts">,
  list: OffsetList,
): PageReading {
  const { largestPage, isProven, restarts } = memory;
  return {
    kind: "rows",
    fresh: page.records,
    gained: page.records.length,
    memory: {
      ...progressAfter(page, largestPage, list),
      mode: "overlapping",
      isProven,
      restarts: restarts + 1,
      needlessSearches: 0,
    },
  };
}

/** Where reading stands after a page. `continued`: the page begins with known rows, which end a tail. */
function progressAfter(
  { start, records }: OffsetPage,
  largestPage: number,
  { plan, keyFields }: OffsetList,
  continued: { tail: string[]; known: number } = { tail: [], known: 0 },
) {
  // What a server sends beyond the limit stands on the next page again.
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

/** The fresh records of a page, which stand at its end, without those after the end of the list. */
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
