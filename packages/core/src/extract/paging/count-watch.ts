import { RequestError } from "../../base/errors.ts";
import {
  afterPage,
  countedPage,
  isStorable,
  largestWith,
  lastRowsOf,
  memoryAfter,
  type NumberedPage,
  onwardOf,
  withCount,
} from "./count-memory.ts";
import { findCountPlace, readCount } from "./count-place.ts";
import { isNumbered, numberingOf, type PageNumbering } from "./numbering.ts";
import {
  type CheckingCounted,
  type CountedPage,
  type CountMemory,
  type PageRequest,
  type ReadingOnward,
  repeatable,
} from "./page-request.ts";

/*
 * Numbered pages show no row of the page before. Where rows go while they are read, later rows move
 * to pages that were read already. The count of items in the answers tells: where it has fallen by d,
 * as many rows may have moved. The counted page before is then asked for again. If its last rows still
 * stand there, no row before them has gone, and reading goes on. Otherwise, reading goes back as many
 * pages as d rows fill. Rows are known by key or content, so reading them again does no harm.
 */

/** Reading goes back so often without getting any further. Then the run fails. */
const MAX_ROUNDS = 3;

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
  if (!place || count === undefined || !isStorable(following)) return { next: following };
  const position = numbering.positionOf(received.request);
  const memory: ReadingOnward = {
    mode: "onward",
    place,
    position,
    counted: countedPage(page, count, position, numbering),
    uncountedPages: 0,
    largestPage: 0,
    smallestPage: received.records.length,
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
  const count = countOf(page, memory);
  if (count !== undefined && count < atLeast(page, memory, numbering)) return { next: following };
  const isEmpty = received.records.length === 0;
  const isComparable = count === undefined || uncountedPages === 0;
  if (isEmpty && isComparable && isBehindCount(memory, numbering)) return { next: following };
  const isEmptyEnd = isEmpty && count === undefined && !following;
  if (received.absence || isEmptyEnd) return atMissingPage(page, memory, numbering);
  if (count === undefined) {
    return goOn(page, { ...memory, uncountedPages: uncountedPages + 1 }, numbering);
  }
  const suspect = countedPage(page, count, position, numbering);
  const isUnchanged = doubted?.position === position && doubted.firstRow === suspect.firstRow;
  const hasFallen = count < counted.count && position > numbering.first;
  if (!hasFallen || isUnchanged) {
    const steady = { ...memory, counted: suspect, uncountedPages: 0, doubted: null };
    return goOn(page, steady, numbering);
  }
  const note = `the API names ${count} ${place.unit} after ${counted.count}: rows have gone`;
  if (!counted.request) {
    const pages = pagesOf(counted.count - count, page, memory);
    const fall = { seenAt: position, count, pages, doubted: null };
    return { ...goBack(page, memory, fall, numbering), note };
  }
  const resume = uncountedPages > 0 ? null : { request: following ? repeatable(following) : null };
  const checked = { ...memory, missingAt: null };
  return { ...checkCounted(page, checked, counted.request, { suspect, resume }), note };
}

/** Whether all counted items stood on earlier pages: then there is nothing to miss here. */
function isBehindCount(
  { position, largestPage, place, counted }: ReadingOnward,
  numbering: PageNumbering,
): boolean {
  return numbering.before(position, largestPage)[place.unit] >= counted.count;
}

/**
 * The API has no page here, or an empty one without a count, although the count promises more. Rows
 * may have gone: the counted page is asked for once more, or, where that is not known, all pages.
 */
function atMissingPage(
  page: NumberedPage,
  memory: ReadingOnward,
  numbering: PageNumbering,
): WatchedPage {
  const { absence, request } = page.received;
  const { position, counted, missingAt } = memory;
  if (request.memory?.behindTotal !== undefined) return { next: undefined };
  if (missingAt === position || position <= numbering.first) {
    if (absence) throw absence;
    return { next: undefined };
  }
  const checked = { ...memory, missingAt: position };
  if (!counted.request) {
    const pages = Number.POSITIVE_INFINITY;
    const fall = { seenAt: position, count: counted.count, pages, doubted: null };
    return goBack(page, checked, fall, numbering);
  }
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
  const count = countOf(page, memory) ?? suspect?.count ?? counted.count;
  const lastRows = lastRowsOf(page);
  const isInPlace = lastRows !== null && lastRows === counted.lastRows;
  if (isInPlace && !suspect) {
    const again = countedPage(page, count, position, numbering);
    const onward: ReadingOnward = { ...onwardOf(memory), counted: again, uncountedPages: 0 };
    return { ...goOn(page, onward, numbering), goesBack: true };
  }
  // Another count than that of the page in between leaves open what rows moved since.
  if (isInPlace && suspect && resume && count === suspect.count) {
    if (!resume.request) return { next: undefined };
    const progress = { ...memory, counted: suspect, uncountedPages: 0, position: suspectAt };
    const onward = afterPage(progress, suspect.request ?? {}, suspect.nextPosition, numbering);
    return { next: withCount(resume.request, onward) };
  }
  const lowest = Math.min(count, suspect?.count ?? count);
  const pages = isInPlace ? 0 : pagesOf(counted.count - lowest, page, memory);
  // While the count only falls, a row that stands where it stood has not moved in between either.
  const hasOnlyFallen = isInPlace && suspect && count < suspect.count;
  const doubted = hasOnlyFallen ? suspect : null;
  return goBack(page, memory, { seenAt: suspectAt, count, pages, doubted }, numbering);
}

/** What is known of rows that have gone. */
interface Fall {
  /** The position of the page that showed it. */
  seenAt: number;
  /** The count in the answer that was read last. */
  count: number;
  /** How many pages later rows may have moved to: the last ones before that page. */
  pages: number;
  doubted: CountedPage | null;
}

/** Reads those pages again that later rows may have moved to. */
function goBack(
  page: NumberedPage,
  memory: CountMemory,
  { seenAt, count, pages, doubted }: Fall,
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
    doubted,
  };
  if (isChecking && pages <= 1 && page.received.records.length > 0) {
    // The one page that may have been missed is this one, which has just been read again.
    const again = countedPage(page, count, memory.position, numbering);
    return { ...goOn(page, { ...progress, counted: again }, numbering), goesBack: true };
  }
  // Where the counted page is missing as well, nobody knows how many rows have gone.
  const isLost = isChecking && page.received.records.length === 0;
  const missed = isLost ? Number.POSITIVE_INFINITY : Math.max(1, pages);
  const target = numbering.back(counted.nextPosition, missed, recent);
  const { position } = target;
  const onward: ReadingOnward = {
    ...progress,
    position,
    counted: {
      request: null,
      position,
      nextPosition: position,
      count,
      firstRow: null,
      lastRows: null,
    },
    recent: recent.filter((earlier) => earlier.position < position),
  };
  return { next: withCount(target.request, onward), goesBack: true };
}

/** The number of pages that rows fill. A number of pages that falls by one stands for up to two. */
function pagesOf(fall: number, page: NumberedPage, memory: CountMemory): number {
  if (memory.place.unit === "pages") return fall + 1;
  return Math.ceil(fall / Math.max(1, largestWith(page, memory)));
}

/** The count that an answer names. A page without records that names 0 may count its own records. */
function countOf({ received }: NumberedPage, { place }: CountMemory): number | undefined {
  const count = readCount(received, place);
  return count === 0 && received.records.length === 0 ? undefined : count;
}

/** The number of items that the list has at least, by its pages. A lower number counts something else. */
function atLeast(
  { received }: NumberedPage,
  { place, position, smallestPage }: CountMemory,
  numbering: PageNumbering,
): number {
  const { length } = received.records;
  if (length === 0 || place.unit === "pages") return 0;
  return numbering.before(position, Math.min(smallestPage, length)).items + length;
}

/** Goes on with the request that the paginator makes. */
function goOn(page: NumberedPage, memory: ReadingOnward, numbering: PageNumbering): WatchedPage {
  const { following } = page;
  if (!following) return { next: undefined };
  return { next: withCount(following, memoryAfter(page, memory, following, numbering)) };
}

const driftError = ({ counted, place }: CountMemory, lowest: number) =>
  new RequestError({
    code: "extract.drift",
    message: `rows go while numbered pages are read, and later rows may have been missed: the API named ${counted.count} ${place.unit}, then ${lowest}, and ${MAX_ROUNDS} times of going back did not get any further`,
    hint: "run again when fewer rows go, or page by a cursor or by an offset with a limit of 10 or more, where no row can be missed",
    retryable: false,
  });
