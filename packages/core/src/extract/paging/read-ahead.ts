import type { PaginatorPlan, Slot } from "../../config/plan-types.ts";
import type { Answer } from "../http/answer.ts";
import type { HoldBytes, HttpRequest } from "../http/transport.ts";
import { type EarlyBytes, type EarlyPageBytes, isWithoutRoom } from "./early-bytes.ts";
import type { PageRequest } from "./page-request.ts";
import { placeValues, readSlot } from "./paging.ts";

/*
 * Pages may be asked for before their turn. The paginator alone still decides which page comes next,
 * and reads pages in order: an answer to a wrong guess is dropped, and a wrong guess costs no more
 * than its request. An early answer is older than that of the page before it, which may have seen rows
 * move in between. The reader asks again where the overlap does not show that none has.
 */

/** The number of evenly spaced pages after which more are expected: fewer where a total is known. */
const EVEN_PAGES = Object.freeze({ withTotal: 2, withoutTotal: 8 });

/** The evenness of the last pages, and the room for requests that follows from it. */
export interface ReadAheadWindow {
  /** The distance between the last two requests; 0 after a detour. */
  stride: number;
  evenPages: number;
  size: number;
}

export const firstWindow: ReadAheadWindow = { stride: 0, evenPages: 0, size: 1 };

/** The parts of a session that asking ahead needs. */
interface RequestSender {
  fetch(request: HttpRequest, hold?: HoldBytes): Promise<Answer>;
  earlyBytes: EarlyBytes;
  /** The most requests under way at once. */
  parallelPages: number;
  retriesSoFar(): number;
}

/** An answer that is under way or waits to be read. */
interface EarlyAnswer {
  answer: Promise<Answer>;
  bytes: EarlyPageBytes;
}

export class ReadAhead {
  readonly #sender: RequestSender;
  readonly #toHttpRequest: (page: PageRequest) => HttpRequest;
  /** The answers to guesses. Replaced with each page. */
  #answers = new Map<string, EarlyAnswer>();
  /** The requests that follow the next page if pages go on evenly. Replaced with each page. */
  #guesses: HttpRequest[] = [];
  #window: ReadAheadWindow = firstWindow;
  /** A page had no room in memory. No further page is asked for early. */
  #isWithoutRoom = false;
  /** The sender's retries when the window moved last. More by now halve the window. */
  #knownRetries: number;

  constructor(sender: RequestSender, toHttpRequest: (page: PageRequest) => HttpRequest) {
    this.#sender = sender;
    this.#toHttpRequest = toHttpRequest;
    this.#knownRetries = sender.retriesSoFar();
  }

  /**
   * The answer to a request. Sends guesses along, as far as the window has room. `isEarly`: it was
   * asked for before the page before it had been read.
   */
  get(request: HttpRequest): { answer: Promise<Answer>; isEarly: boolean } {
    const early = /* planted: answer-of-its-request */ this.#answers.get(keyOf(request));
    // Each answer counts once: a paginator may ask for the same page again, to see whether it differs.
    this.#answers.delete(keyOf(request));
    const answer = early ? this.#take(request, early) : this.#sender.fetch(request);
    const expected = this.#guesses.filter(
      (guess, index) => index + 1 < this.#window.size || this.#answers.has(keyOf(guess)),
    );
    this.#keep(expected);
    return { answer, isEarly: early !== undefined };
  }

  /** Asks anew, and forgets every early answer: they are as old as the one that does not count. */
  getAgain(request: HttpRequest): Promise<Answer> {
    this.close();
    return this.#sender.fetch(request);
  }

  /** Forgets every early answer. */
  close(): void {
    this.#keep([]);
    this.#guesses = [];
    this.#window = firstWindow;
  }

  /** Guesses the requests after `next`, once the page has been read. */
  moveOn(plan: PaginatorPlan, request: PageRequest, next: PageRequest): void {
    const { parallelPages } = this.#sender;
    // A retry of a page that was asked for early counts as well.
    const retries = this.#sender.retriesSoFar();
    const hasRetried = retries > this.#knownRetries;
    this.#knownRetries = retries;
    const limits = { maxSize: this.#isWithoutRoom ? 1 : parallelPages, hasRetried };
    this.#window = nextWindow(this.#window, { request, next, plan }, limits);
    const guesses = guessRequests(plan, next, this.#window, parallelPages);
    this.#guesses = guesses.map(this.#toHttpRequest);
  }

  async #take(request: HttpRequest, { answer, bytes }: EarlyAnswer): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (!isWithoutRoom(error)) throw error;
      this.#isWithoutRoom = true;
      return this.#sender.fetch(request);
    } finally {
      bytes.close();
    }
  }

  /** Asks for the pages that are not under way yet, and forgets all others. */
  #keep(requests: readonly HttpRequest[]): void {
    const kept = new Map(requests.map((request) => [keyOf(request), this.#earlyAnswer(request)]));
    for (const [key, { bytes }] of this.#answers) if (!kept.has(key)) bytes.close();
    this.#answers = kept;
  }

  #earlyAnswer(request: HttpRequest): EarlyAnswer {
    const known = this.#answers.get(keyOf(request));
    if (known) return known;
    const bytes = this.#sender.earlyBytes.openPage();
    const answer = this.#sender.fetch(request, bytes.hold);
    // A dropped answer may fail: after the last page, many APIs answer with an error.
    answer.catch(() => {});
    return { answer, bytes };
  }
}

/** Only these two parts differ between the requests of a resource. */
const keyOf = ({ url, body }: HttpRequest) => `${url} ${body ?? ""}`;

/** Pure: the window after a page. Each page without a retry adds one to it; a retry halves it. */
export function nextWindow(
  window: ReadAheadWindow,
  step: { request: PageRequest; next: PageRequest; plan: PaginatorPlan },
  { maxSize, hasRetried }: { maxSize: number; hasRetried: boolean },
): ReadAheadWindow {
  const stride = strideOf(step.plan, step.request, step.next);
  const isEven = stride > 0 && (window.stride === 0 || stride === window.stride);
  const evenPages = isEven ? window.evenPages + 1 : 0;
  const hasTotal = step.next.memory?.total !== undefined;
  const isOpen = evenPages >= (hasTotal ? EVEN_PAGES.withTotal : EVEN_PAGES.withoutTotal);
  const grownSize = isOpen ? Math.min(maxSize, window.size + 1) : 1;
  const size = hasRetried ? Math.max(1, Math.floor(window.size / 2)) : grownSize;
  return { stride, evenPages, size };
}

/** Pure: the requests that will follow `next`, if pages go on evenly. */
export function guessRequests(
  plan: PaginatorPlan,
  next: PageRequest,
  { stride, evenPages }: ReadAheadWindow,
  maxSize: number,
): PageRequest[] {
  const slot = slotOf(plan);
  const start = slot && readSlot(next, slot);
  if (!slot || typeof start !== "number" || evenPages === 0) return [];
  const end = endOf(plan, next, start);
  const guesses: PageRequest[] = [];
  for (let count = 1; count < maxSize && start + count * stride < end; count++) {
    const { params, body } = placeValues([[slot, start + count * stride]]);
    guesses.push({
      ...next,
      ...(params ? { params: { ...next.params, ...params } } : {}),
      ...(body ? { body: { ...next.body, ...body } } : {}),
    });
  }
  return guesses;
}

function slotOf(plan: PaginatorPlan): Slot | undefined {
  if (plan.type === "offset") return plan.offsetAt;
  return plan.type === "page_number" ? plan.pageAt : undefined;
}

/** The distance between two requests; 0 where the second does not simply follow the first. */
function strideOf(plan: PaginatorPlan, request: PageRequest, next: PageRequest): number {
  const slot = slotOf(plan);
  const overlap = next.memory?.overlap;
  const isDoubtful = overlap && (overlap.mode !== "overlapping" || overlap.needlessSearches > 0);
  if (!slot || isDoubtful) return 0;
  return Number(readSlot(next, slot)) - Number(readSlot(request, slot));
}

/** The first value after the last page, as far as it is known. */
function endOf(plan: PaginatorPlan, { memory }: PageRequest, start: number): number {
  if (plan.type !== "offset" && plan.type !== "page_number") return 0;
  const total = memory?.total ?? Number.POSITIVE_INFINITY;
  const end = Math.min(
    total + (plan.type === "page_number" ? plan.basePage : 0),
    plan.maximum ?? Number.POSITIVE_INFINITY,
  );
  // A page of known rows alone is not worth a request.
  const overlap = memory?.overlap ? memory.overlap.position - start : 0;
  return end - overlap;
}
