import { DIGIT_PASSES, decodeDigits } from "./binary.ts";
import { ESCAPE_FAMILIES, undoEscapes } from "./escapes.ts";
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
 * The bytes that may be looked at for each character of a text. Texts with several encodings in turn
 * have many readings: the limit leaves room for about fifty.
 */
const MAX_STEPS = Object.freeze({ perCharacter: 600, free: 1_000_000 });

const STEPS_PER_BYTE = 1 + ESCAPE_FAMILIES + DIGIT_PASSES;

/** A part of a text that has to be hidden. */
interface Stretch {
  start: number;
  end: number;
}

/** Counts the bytes that a search has looked at. */
export interface SearchWork {
  steps: number;
}

/**
 * Hides secrets in a text. Of a text with more than `maxLength` characters only the beginning is read
 * and returned. A text that cannot be searched is not shown: no error may quote it.
 */
export function hideValues(
  text: string,
  sets: readonly SecretSet[],
  { maxLength = text.length, work = { steps: 0 } }: { maxLength?: number; work?: SearchWork } = {},
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
    const found = findInPart(text.slice(start, end), sets, isCut, work);
    for (const stretch of found) {
      stretches.push({ start: stretch.start + start, end: stretch.end + start });
    }
  }
  return mergeStretches(stretches);
}

function findInPart(
  part: string,
  sets: readonly SecretSet[],
  isCut: boolean,
  work: SearchWork,
): Stretch[] {
  const maxSteps = work.steps + MAX_STEPS.free + MAX_STEPS.perCharacter * part.length;
  const stretches: Stretch[] = [];
  const seen = new Set<string>();
  const pending: Reading[] = [readPlainly(part, HIDDEN)];
  for (let reading = pending.pop(); reading; reading = pending.pop()) {
    const identity = `${placesOf(reading)} ${reading.bytes}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    work.steps += STEPS_PER_BYTE * reading.bytes.length;
    if (work.steps > maxSteps) throw new RangeError("too many readings");
    searchReading(reading, sets, isCut, stretches);
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
  isCut: boolean,
  stretches: Stretch[],
): void {
  for (const { tree } of sets) {
    tree.search(bytes, isCut, (first, afterLast, length) => {
      if (isBinary && length < MIN_LENGTH) return;
      stretches.push({ start: starts[first] as number, end: ends[afterLast - 1] as number });
    });
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
