import { RequestError } from "../../base/errors.ts";
import { usualOverlap } from "../../config/paginators.ts";
import type { OffsetPlan } from "../../config/plan-types.ts";
import type { OverlapMemory, PageRequest } from "../../flow.ts";
import type { JsonValue } from "../../values/json.ts";
import { fingerprint, identity, sight } from "./overlap.ts";
import { hasMoreOf, type PageSeen, type Paginator, placed, totalOf, valueAt } from "./paging.ts";

/** In search of rows that moved: so many pages one by one, and then from the start. */
const STEPS_BACK = 8;

/** An API that never shows the same rows twice is read as it comes after so many starts. */
const RESTARTS = 5;

/** So many pages alike are no accident. */
const DOUBTS = 4;

/** What a page means: the records that are new, and where that leaves the reading. */
interface Reading {
  fresh: JsonValue[];
  /** Rows that no page before had. 0: there is nothing behind `memory.position`. */
  gained: number;
  memory: OverlapMemory;
  /** Where to go on, whatever the answer says of its end: the page was not what was asked for. */
  ask?: number;
}

/**
 * Offset paging that steps by what the server sends, over rows that may come and go meanwhile
 * (overlap.ts). `position` counts rows, so that limits and totals mean what they say.
 */
export function offset(plan: OffsetPlan, fields: readonly string[]): Paginator {
  const { limit } = plan;
  // dlt asks at every multiple of the limit below the maximum, and the last page goes beyond it.
  const end =
    plan.maximum === undefined || plan.hasMore
      ? Number.POSITIVE_INFINITY
      : plan.offset + Math.ceil((plan.maximum - plan.offset) / limit) * limit;

  const at = (start: number, memory?: PageRequest["memory"]): PageRequest => ({
    ...placed([
      [plan.offsetAt, start],
      [plan.limitAt, limit],
    ]),
    ...(memory ? { memory } : {}),
  });

  // A page is looked at for its records, and once more for what comes next.
  const readings = new WeakMap<PageSeen, Reading>();
  function read(page: PageSeen): Reading {
    const reading = readings.get(page) ?? understood(page);
    readings.set(page, reading);
    return reading;
  }

  function understood({ request, records }: PageSeen): Reading {
    const start = Number(valueAt(request, plan.offsetAt));
    const memory = request.memory?.overlap ?? { position: start, tail: [], size: 0 };
    const { position, tail, back, off, again, rounded = 0, odd = 0, proven } = memory;
    if (off && tail.length > 0 && records.length >= memory.size && endsWith(records, tail)) {
      return sameAgain(start, memory);
    }
    const isSearch = back !== undefined || again === true;
    if (off || (position === start && !isSearch)) return plain(records, start, memory);

    const overlap = isSearch ? tail.length : position - start;
    const seen = sight(records, tail, fields, {
      offset: start,
      limit,
      overlap,
      isSearch,
      // Where one page began where it was asked to, all do.
      mayRound: !proven,
    });
    if (seen.kind === "rounded") {
      const doubtful: OverlapMemory = { ...memory, rounded: rounded + 1 };
      const other = overlap > 1 ? 1 : Math.min(2, tail.length);
      return rounded > 0
        ? { fresh: [], gained: 0, memory: { ...doubtful, off: "rounds" }, ask: position }
        : { fresh: [], gained: 0, memory: doubtful, ask: position - other };
    }
    // planted: lost-overlap
    if (seen.kind === "lost") return lost(records, start, memory);
    if (again) return anew(records, start, { ...memory, proven: true });
    const { fresh, behind, inPlace } = seen;
    const { back: _, rounded: __, odd: ___, ...rest } = memory;
    const found = { ...moved(records, start, rest, inPlace ? behind : 0), proven: true };
    const gained = records.length - behind;
    if (back !== undefined && start + behind === position) {
      const doubtful: OverlapMemory = { ...found, odd: odd + 1 };
      return { fresh, gained, memory: odd < 2 ? doubtful : { ...doubtful, off: "rounds" } };
    }
    return {
      fresh: start + records.length > end ? fresh.slice(0, end - start - records.length) : fresh,
      gained,
      memory: found,
    };
  }

  const plain = (records: JsonValue[], start: number, memory: OverlapMemory): Reading => ({
    fresh: records,
    gained: records.length,
    memory: moved(records, start, memory, 0),
  });

  /** The rows before this page are others than those that were read. */
  function lost(records: JsonValue[], start: number, memory: OverlapMemory): Reading {
    const { position, tail, size, proven, back = 0, restarts = 0, again } = memory;
    const nothing = { fresh: [], gained: 0 };
    if (start > plan.offset) {
      const step = Math.max(1, size - tail.length);
      const ask = back < STEPS_BACK ? Math.max(plan.offset, start - step) : plan.offset;
      return { ...nothing, memory: { ...memory, back: back + 1 }, ask };
    }
    const canBeKnown = proven || fields.length > 0;
    if (canBeKnown && restarts < RESTARTS) return anew(records, start, memory);
    if (!canBeKnown && !again) {
      const prints = records.slice(-plan.overlap).map((one) => fingerprint(one, fields));
      return { ...nothing, memory: { position, tail: prints, size, again: true }, ask: start };
    }
    return { ...nothing, memory: { position, tail: [], size, off: "differs" }, ask: position };
  }

  function anew(records: JsonValue[], start: number, { size, proven, restarts }: OverlapMemory) {
    const memory = { position: start, tail: [], size, restarts: (restarts ?? 0) + 1 };
    return plain(records, start, proven ? { ...memory, proven } : memory);
  }

  /** Behind a page, of which `known` rows are the end of the tail. */
  function moved(
    records: readonly JsonValue[],
    start: number,
    memory: OverlapMemory,
    known: number,
  ): OverlapMemory {
    const { off, tail, size } = memory;
    // Never beyond the limit: what a server sends more stands there again.
    const received = /* planted: step-of-offset */ Math.min(records.length, limit);
    const isOff = off !== undefined || plan.overlap === 0;
    const last = isOff ? [] : records.slice(known, received).slice(-plan.overlap);
    const before = known > 0 ? tail : [];
    const prints = [...before, ...last.map((record) => fingerprint(record, fields))];
    return {
      ...memory,
      // What is rounded has to be asked for at the start of a page, also behind a short one.
      position: start + (off === "rounds" && received > 0 ? Math.max(received, size) : received),
      // Behind a page that seemed rounded, only the next one has to be told from it.
      tail: isOff ? [] : prints.slice(-plan.overlap),
      size: Math.max(size, received),
    };
  }

  /** How many rows to read again: one where the list seems to end, and its end has to be seen. */
  function overlapAfter(received: number, before: number, { size, tail, off }: OverlapMemory) {
    const usual = size < limit ? Math.min(plan.overlap, usualOverlap(size)) : plan.overlap;
    const isShort = received < (before || limit);
    return off ? 0 : Math.min(isShort ? 1 : usual, usual, tail.length);
  }

  return {
    first: () => at(plan.offset),
    fresh: (page) => read(page).fresh,
    next(page) {
      const { request, records, body } = page;
      const { gained, memory, ask } = read(page);
      const before = request.memory?.overlap;
      if (ask !== undefined) return at(ask, { ...request.memory, overlap: memory });

      if (gained === 0 && (plan.stopAfterEmptyPage || body === undefined)) {
        if (!before || memory.tail.length === 0 || isEnd(page, before)) return undefined;
        // Several known rows and nothing else might be all that the server sends at once.
        const overlap = memory.off ? 0 : memory.odd ? memory.tail.length : 1;
        return at(memory.position - overlap, { ...request.memory, overlap: memory });
      }
      const total = totalOf(page, plan);
      const position = gained === 0 ? memory.position + limit : memory.position;
      const isBehind = (total !== undefined && position >= total) || position >= end;
      if (!(hasMoreOf(page, plan) ?? !isBehind)) return undefined;

      const after = gained === 0 ? { ...memory, position, tail: [] } : memory;
      const overlap = overlapAfter(records.length, before?.size ?? 0, after);
      return at(position - overlap, {
        ...(total === undefined ? {} : { total }),
        ...(plan.overlap > 0 ? { overlap: after } : {}),
      });
    },
  };

  /** Whether a page without a new row shows that the last row is the last. */
  function isEnd({ request, records }: PageSeen, { position, tail, size, back }: OverlapMemory) {
    const overlap = position - Number(valueAt(request, plan.offsetAt));
    const last = records.at(-1);
    return (
      back === undefined &&
      (overlap <= 1 || records.length > overlap) &&
      records.length < size &&
      (last === undefined || identity(fingerprint(last, fields)) === identity(tail.at(-1) ?? ""))
    );
  }

  function endsWith(records: readonly JsonValue[], tail: readonly string[]): boolean {
    if (records.length < tail.length) return false;
    const last = records.slice(-tail.length).map((record) => fingerprint(record, fields));
    return last.every((print, index) => print === tail[index]);
  }

  /** The same rows once more: rounded to a whole page after a short one, or nothing is listened to. */
  function sameAgain(start: number, { rounded = 0, ...memory }: OverlapMemory): Reading {
    if (rounded >= DOUBTS) throw goesRound();
    const position = (Math.floor(start / limit) + 1) * limit;
    const next = { ...memory, position, rounded: rounded + 1 };
    return { fresh: [], gained: 0, memory: next, ask: position };
  }
}

const goesRound = () =>
  new RequestError({
    code: "extract.loop",
    message: "the API sends the same records whatever offset is asked for",
    hint: "check the paginator: does the API know its parameters under these names?",
    retryable: false,
  });
