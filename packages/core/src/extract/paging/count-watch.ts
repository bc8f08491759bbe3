import { RequestError } from "../../base/errors.ts";
import type { JsonPath } from "../../config/jsonpath.ts";
import type { PaginatorPlan } from "../../config/plan-types.ts";
import { findCountPlace, readCount } from "./count-place.ts";
import { isNumbered, numberingOf, type PageNumbering, type PlacedRequest } from "./numbering.ts";
import { fingerprintRecord, keyPart } from "./overlap.ts";
import {
  type CheckingCounted,
  type CountedPage,
  type CountMemory,
  type PageRequest,
  type ReadingOnward,
  repeatable,
} from "./page-request.ts";
import type { ReceivedPage } from "./paging.ts";

/*
 * Numbered pages show no row of the page before. Where rows go while they are read, later rows move
 * to pages that were read already. The count of items in the answers tells: where it has fallen by d,
 * as many rows may have moved. The counted page before is then asked for again. If its last rows still
 * stand there, no row before them has gone, and reading goes on. Otherwise, reading goes back as many
 * pages as d rows fill. Rows are known by key or content, so reading them again does no harm.
 */

/** Reading goes back so often without getting any further. Then the run fails. */
const MAX_ROUNDS = 3;

/** So many rows at the end of a page stand for it. */
const LAST_ROWS = 5;

/** Bounds of `recent`, which stands in every checkpoint. */
const MAX_RECENT = { pages: 8, characters: 8192 };

/** A page, with the request that its paginator makes next. */
export interface NumberedPage {
  received: ReceivedPage;
  following: PageRequest | undefined;
  plan: PaginatorPlan;
  /** The path of the records in the answer. */
  list: JsonPath | undefined;
  keyFields: readonly string[];
}

export interface WatchedPage {
  /** The request to make next; undefined after the last page. */
  next: PageRequest | undefined;
  /** The next page was read before. */
  goesBack?: true;
  /** A line for the log. */
  note?: string;
}

/** Pure: the request after a page, which may lead back to a page that was read before. */
export function watchCount(page: NumberedPage): WatchedPage {
  const { received, following, plan } = page;
  const memory = received.request.memory?.count;
  const numbering = numberingOf(plan, received.request);
  if (memory?.mode === "checking") return afterCheck(page, memory, numbering);
  if (memory) return readOnward(page, memory, numbering);
  if (!following || !isNumbered(plan, received, following)) return { next: following };
  return begin(page, following, numbering);
}

/** The first numbered page whose answer names a count. */
function begin(page: NumberedPage, following: PageRequest, numbering: PageNumbering): WatchedPage {
  const { received, plan, list } = page;
  const place = findCountPlace(received, list, plan);
  const count = place && readCount(received, place);
  if (!place || count === undefined) return { next: following };
  const position = numbering.positionOf(received.request);
  const memory: ReadingOnward = {
    mode: "onward",
    place,
    position,
    counted: countedPage(page, count, position, numbering),
    uncountedPages: 0,
    largestPage: 0,
    furthest: position,
    rounds: 0,
    recent: [],
    missingAt: null,
    doubted: null,
  };
  return goOn(page, memory, numbering);
}

/** The usual step: a page after the one that was read before it. */
function readOnward(
  page: NumberedPage,
  memory: ReadingOnward,
  numbering: PageNumbering,
): WatchedPage {
  const { received, following } = page;
  const { counted, uncountedPages, position, place, doubted } = memory;
  const count = readCount(received, place);
  const isEmptyEnd = received.records.length === 0 && count === undefined && !following;
  if (received.absence || isEmptyEnd) return atMissingPage(page, memory, numbering);
  if (count === undefined) {
    return goOn(page, { ...memory, uncountedPages: uncountedPages + 1 }, numbering);
  }
  const suspect = countedPage(page, count, position, numbering);
  const isUnchanged = doubted?.position === position && doubted.lastRows === suspect.lastRows;
  const hasFallen = count < counted.count && position > numbering.first;
  if (!hasFallen || isUnchanged) {
    const steady = { ...memory, counted: suspect, uncountedPages: 0, doubted: null };
    return goOn(page, steady, numbering);
  }
  const note = `the API names ${count} ${place.unit} after ${counted.count}: rows have gone`;
  if (!counted.request) {
    const fall = { position, count, pages: pagesOf(counted.count - count, page, memory) };
    return { ...goBack(page, memory, fall, numbering), note };
  }
  const resume = uncountedPages > 0 ? null : { request: following ? repeatable(following) : null };
  const checked = { ...memory, missingAt: null };
  return { ...checkCounted(page, checked, counted.request, { suspect, resume }), note };
}

/**
 * The API has no page here, or an empty one without a count. Behind the counted items that is the end.
 * Elsewhere rows may have gone: the counted page is asked for once more.
 */
function atMissingPage(
  page: NumberedPage,
  memory: ReadingOnward,
  numbering: PageNumbering,
): WatchedPage {
  const { absence, request } = page.received;
  const { position, counted, largestPage, place, missingAt } = memory;
  const isBehind = numbering.before(position, largestPage)[place.unit] >= counted.count;
  if (isBehind || request.memory?.behindTotal !== undefined) return { next: undefined };
  if (missingAt === position || position <= numbering.first || !counted.request) {
    if (absence) throw absence;
    return { next: undefined };
  }
  const checked = { ...memory, missingAt: position };
  return checkCounted(page, checked, counted.request, { suspect: null, resume: null });
}

function checkCounted(
  page: NumberedPage,
  memory: ReadingOnward,
  request: PageRequest,
  doubt: Pick<CheckingCounted, "suspect" | "resume">,
): WatchedPage {
  const { counted, position } = memory;
  const largestPage = largestWith(page, memory);
  const checking: CheckingCounted = {
    ...memory,
    ...doubt,
    mode: "checking",
    position: counted.position,
    suspectAt: position,
    largestPage,
  };
  return { next: withCount(request, checking), goesBack: true };
}

/** The counted page has come again. Its last rows show whether rows before them have gone. */
function afterCheck(
  page: NumberedPage,
  memory: CheckingCounted,
  numbering: PageNumbering,
): WatchedPage {
  const { counted, suspect, resume, suspectAt, position } = memory;
  const count = readCount(page.received, memory.place) ?? suspect?.count ?? counted.count;
  const lastRows = lastRowsOf(page);
  const isInPlace = lastRows !== null && lastRows === counted.lastRows;
  if (isInPlace && !suspect) {
    const again = countedPage(page, count, position, numbering);
    const onward: ReadingOnward = { ...onwardOf(memory), counted: again, uncountedPages: 0 };
    return { ...goOn(page, onward, numbering), goesBack: true };
  }
  // A count that has risen again leaves open what the page in between has shown.
  if (isInPlace && suspect && resume && count <= suspect.count) {
    if (!resume.request) return { next: undefined };
    const progress = { ...memory, counted: suspect, uncountedPages: 0, position: suspectAt };
    const onward = afterPage(progress, suspect.request ?? {}, suspect.nextPosition, numbering);
    return { next: withCount(resume.request, onward) };
  }
  const lowest = Math.min(count, suspect?.count ?? count);
  const pages = isInPlace ? 0 : pagesOf(counted.count - lowest, page, memory);
  return goBack(page, memory, { position: suspectAt, count, pages }, numbering);
}

/** Reads those pages again that later rows may have moved to. */
function goBack(
  page: NumberedPage,
  memory: CountMemory,
  {
    position: seenAt,
    count,
    pages,
  }: {
    /** The page at which the fall was seen. */
    position: number;
    /** The count in this answer. */
    count: number;
    /** The number of pages that may have been missed, before the one after the counted page. */
    pages: number;
  },
  numbering: PageNumbering,
): WatchedPage {
  const { counted, furthest, recent } = memory;
  const rounds = (seenAt > furthest ? 0 : memory.rounds) + 1;
  if (rounds > MAX_ROUNDS) throw driftError(memory, count);
  const isChecking = memory.mode === "checking";
  const progress: ReadingOnward = {
    ...onwardOf(memory),
    rounds,
    furthest: Math.max(seenAt, furthest),
    uncountedPages: 0,
    doubted: isChecking ? memory.suspect : null,
  };
  if (isChecking && pages <= 1 && page.received.records.length > 0) {
    // The one page that may have been missed is this one, which has just been read again.
    const again = countedPage(page, count, memory.position, numbering);
    return { ...goOn(page, { ...progress, counted: again }, numbering), goesBack: true };
  }
  const least = isChecking ? 2 : 1;
  const target = numbering.back(counted.nextPosition, Math.max(pages, least), recent);
  const { position } = target;
  const onward: ReadingOnward = {
    ...progress,
    position,
    counted: { request: null, position, nextPosition: position, count, lastRows: null },
    recent: recent.filter((earlier) => earlier.position < position),
  };
  return { next: withCount(target.request, onward), goesBack: true };
}

/** The number of pages that rows fill. A number of pages that falls by one stands for up to two. */
function pagesOf(fall: number, page: NumberedPage, memory: CountMemory): number {
  if (memory.place.unit === "pages") return fall + 1;
  return Math.ceil(fall / Math.max(1, largestWith(page, memory)));
}

/** Goes on with the request that the paginator makes. */
function goOn(page: NumberedPage, memory: ReadingOnward, numbering: PageNumbering): WatchedPage {
  const { received, following } = page;
  if (!following) return { next: undefined };
  const progress = { ...memory, largestPage: largestWith(page, memory) };
  const nextPosition = numbering.positionAfter(memory.position, following);
  const onward = afterPage(progress, received.request, nextPosition, numbering);
  return { next: withCount(following, onward) };
}

/** The memory for the page after the one at `memory.position`. */
function afterPage(
  memory: CountMemory,
  request: PageRequest,
  nextPosition: number,
  { needsRecent }: PageNumbering,
): ReadingOnward {
  const { position, furthest, rounds, recent } = memory;
  const pages = [...recent.filter((earlier) => earlier.position < position), { position, request }];
  return {
    ...onwardOf(memory),
    position: nextPosition,
    furthest: Math.max(position, furthest),
    rounds: position > furthest ? 0 : rounds,
    recent: needsRecent ? lastPages(pages) : [],
  };
}

/** The last pages, as many as a checkpoint may hold. */
function lastPages(pages: PlacedRequest[]): PlacedRequest[] {
  const last = pages
    .slice(-MAX_RECENT.pages)
    .map(({ position, request }) => ({ position, request: repeatable(request) }));
  while (JSON.stringify(last).length > MAX_RECENT.characters) last.shift();
  return last;
}

/** The memory without what a check alone needs. */
function onwardOf(memory: CountMemory): ReadingOnward {
  if (memory.mode === "onward") return memory;
  const { suspectAt: _, suspect: __, resume: ___, ...progress } = memory;
  return { ...progress, mode: "onward" };
}

function countedPage(
  page: NumberedPage,
  count: number,
  position: number,
  numbering: PageNumbering,
): CountedPage {
  const { received, following } = page;
  return {
    request: repeatable(received.request),
    position,
    nextPosition: following ? numbering.positionAfter(position, following) : position + 1,
    count,
    lastRows: lastRowsOf(page),
  };
}

/** By keys, so that a row may change in its place. */
function lastRowsOf({ received, keyFields }: NumberedPage): string | null {
  const last = received.records.slice(-LAST_ROWS);
  if (last.length === 0) return null;
  return last.map((record) => keyPart(fingerprintRecord(record, keyFields))).join(" ");
}

const largestWith = ({ received }: NumberedPage, { largestPage }: CountMemory): number =>
  Math.max(largestPage, received.records.length);

const withCount = (request: PageRequest, count: CountMemory): PageRequest => ({
  ...request,
  memory: { ...request.memory, count },
});

const driftError = ({ counted, place }: CountMemory, lowest: number) =>
  new RequestError({
    code: "extract.drift",
    message: `rows go while numbered pages are read, and later rows may have been missed: the API named ${counted.count} ${place.unit}, then ${lowest}, and ${MAX_ROUNDS} times of going back did not get any further`,
    hint: "run again when fewer rows go, or page by a cursor or by an offset with a limit of 10 or more, where no row can be missed",
    retryable: false,
  });
