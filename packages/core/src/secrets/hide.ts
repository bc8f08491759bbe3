import { decodeDigits } from "./binary.ts";
import { undoEscapes } from "./escapes.ts";
import { type Reading, readPlainly } from "./reading.ts";
import { MIN_LENGTH, type SecretSet } from "./secret-set.ts";

/** Replaces a secret. */
export const HIDDEN = "[secret]";

/** Replaces a text that cannot be searched. */
export const NOT_SHOWN = "[not shown: it could not be searched for secrets]";

/** Longer texts are searched in parts of this length or of an overlap's, which bounds the memory. */
const PART_LENGTH = 64 * 1024;

/** A part reaches into the next one by this length, or by so many times the longest secret. */
const OVERLAP = Object.freeze({ least: 4 * 1024, factor: 8 });

/**
 * All readings of a text may have so many times its length, and some bytes more. Each kind of escape in a
 * text doubles its readings, because any of them may belong to a secret.
 */
const MAX_READ = Object.freeze({ perCharacter: 128, free: 100_000 });

/** A part of a text that has to be hidden. */
interface Stretch {
  start: number;
  end: number;
}

/** Counts the bytes of all readings that a search has made. */
export interface SearchWork {
  bytes: number;
}

/**
 * Hides secrets in a text. Of a text with more than `maxLength` characters only the beginning is read
 * and returned. A text that cannot be searched is not shown: no error may quote it.
 */
export function hideValues(
  text: string,
  sets: readonly SecretSet[],
  { maxLength = text.length, work = { bytes: 0 } }: { maxLength?: number; work?: SearchWork } = {},
): string {
  const filled = sets.filter((set) => !set.isEmpty);
  try {
    if (filled.length === 0 || text === "") return text.slice(0, maxLength);
    return replaceStretches(text, findStretches(text, filled, maxLength, work), maxLength);
  } catch {
    return NOT_SHOWN;
  }
}

/** Finds the stretches to hide, sorted, none of which touches the next in more than its end. */
function findStretches(
  text: string,
  sets: readonly SecretSet[],
  maxLength: number,
  work: SearchWork,
): Stretch[] {
  const longest = Math.max(...sets.map((set) => set.longest));
  const overlap = Math.max(OVERLAP.least, OVERLAP.factor * longest);
  const length = Math.max(PART_LENGTH, overlap);
  const stretches: Stretch[] = [];
  for (let start = 0; start < Math.min(text.length, maxLength); start += length) {
    const end = Math.min(start + length, maxLength) + overlap;
    const isCut = start + length >= maxLength && end < text.length;
    // A secret that goes on after the part has to begin in the next one.
    const ownLength = end < text.length && !isCut ? length : 0;
    const found = findInPart(text.slice(start, end), sets, { isCut, ownLength, work });
    for (const stretch of found) {
      stretches.push({ start: stretch.start + start, end: stretch.end + start });
    }
  }
  return mergeStretches(stretches);
}

interface PartSearch {
  /** The text goes on after the part, and nobody reads it there. */
  isCut: boolean;
  /** A secret that begins within this length has to end in the part. */
  ownLength: number;
  work: SearchWork;
}

function findInPart(part: string, sets: readonly SecretSet[], search: PartSearch): Stretch[] {
  const { work } = search;
  const maxBytes = work.bytes + MAX_READ.free + MAX_READ.perCharacter * part.length;
  const stretches: Stretch[] = [];
  const seen = new Set<string>();
  const pending: Reading[] = [readPlainly(part, HIDDEN)];
  for (let reading = pending.pop(); reading; reading = pending.pop()) {
    work.bytes += reading.bytes.length;
    if (work.bytes > maxBytes) throw new RangeError("too many readings");
    const identity = `${placesOf(reading)} ${reading.bytes}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    searchReading(reading, sets, search, stretches);
    pending.push(...undoEscapes(reading), ...decodeDigits(reading));
  }
  return stretches;
}

/** Tells readings apart that show the same bytes from different places. */
function placesOf({ starts }: Reading): number {
  let sum = 0;
  for (let index = 0; index < starts.length; index += 1) sum += starts[index] as number;
  return sum;
}

function searchReading(
  { bytes, starts, ends, isBinary }: Reading,
  sets: readonly SecretSet[],
  { isCut, ownLength }: PartSearch,
  stretches: Stretch[],
): void {
  for (const { tree } of sets) {
    const unfinished = tree.search(bytes, isCut, (first, afterLast, length) => {
      if (isBinary && length < MIN_LENGTH) return;
      stretches.push({ start: starts[first] as number, end: ends[afterLast - 1] as number });
    });
    if (unfinished < bytes.length && (starts[unfinished] as number) < ownLength) {
      throw new RangeError("a secret may be longer than an overlap");
    }
  }
}

/** Joins stretches that overlap. */
function mergeStretches(stretches: Stretch[]): Stretch[] {
  const merged: Stretch[] = [];
  for (const stretch of stretches.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && stretch.start < last.end) last.end = Math.max(last.end, stretch.end);
    else merged.push({ ...stretch });
  }
  return merged;
}

function replaceStretches(text: string, stretches: Stretch[], maxLength: number): string {
  const pieces: string[] = [];
  let shown = 0;
  for (const { start, end } of stretches) {
    if (start >= maxLength) break;
    pieces.push(text.slice(shown, start), HIDDEN);
    shown = end;
  }
  if (shown < maxLength) pieces.push(text.slice(shown, maxLength));
  return pieces.join("");
}
