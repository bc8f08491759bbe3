interface Progress {
  /** Every row before this offset has been read. */
  position: number;
  /** Fingerprints of the last rows before `position`: `key:content`, or `content` alone. */
  tail: string[];
  /** Rows of the largest page so far: a server may cap pages below `limit`. */
  largestPage: number;
}

interface OverlapProgress extends Progress {
  /** An overlap was found again at least once: records of this API can be recognised. */
  isProven: boolean;
  /** The number of times that everything was read again from the start. */
  restarts: number;
  /** The number of searches in a row that found no row moved: the server may round offsets up. */
  needlessSearches: number;
}

/** Each page begins with the last rows of the page before. */
export type Overlapping = OverlapProgress & { mode: "overlapping" };

/** A page seemed to begin at the multiple of the limit below its offset. The next page decides. */
export type TestingRounding = OverlapProgress & { mode: "testing-rounding" };

/** The tail was missing: earlier offsets are read until it is found. */
export type SearchingBack = OverlapProgress & { mode: "searching-back"; steps: number };

/** The same offset is asked for twice, to see whether this API sends the same records twice. */
export type TestingRepetition = Progress & { mode: "testing-repetition" };

/** Pages are taken as the server sends them, without an overlap. */
export type AsTheyCome = Progress & {
  mode: "as-they-come";
  /** The config switches the overlap off, the server rounds offsets, or its rows never stay the same. */
  reason: "configured" | "rounds" | "differs";
  /** The number of pages in a row with the rows of an earlier page. */
  repeats: number;
};

/** The progress of offset paging, with the rows by which it notices that rows have moved. */
export type OverlapMemory =
  | Overlapping
  | TestingRounding
  | SearchingBack
  | TestingRepetition
  | AsTheyCome;

/** The memory in checkpoints of versions before the modes: a mode was told by the members it had. */
interface OldOverlapMemory {
  position: number;
  tail: string[];
  size: number;
  proven?: boolean;
  back?: number;
  restarts?: number;
  again?: boolean;
  rounded?: number;
  odd?: number;
  off?: "rounds" | "differs";
}

/** Pure: the memory of a checkpoint, which an older version may have written. */
export function readStoredMemory(stored: OverlapMemory | OldOverlapMemory): OverlapMemory {
  if ("mode" in stored) return stored;
  const { position, tail, size, back, again, rounded = 0, off } = stored;
  const progress: Progress = { position, tail, largestPage: size };
  if (off) return { ...progress, mode: "as-they-come", reason: off, repeats: rounded };
  if (again) return { ...progress, mode: "testing-repetition" };
  const { proven: isProven = false, restarts = 0, odd: needlessSearches = 0 } = stored;
  const overlapping = { ...progress, isProven, restarts, needlessSearches };
  if (back !== undefined) return { ...overlapping, mode: "searching-back", steps: back };
  return { ...overlapping, mode: rounded > 0 ? "testing-rounding" : "overlapping" };
}

/** A line for the log where paging does not simply go on; undefined where it does. */
export function describeDetour(
  before: OverlapMemory | undefined,
  after: OverlapMemory | undefined,
): string | undefined {
  if (after?.mode === "searching-back") {
    return after.steps === 1
      ? `rows before row ${after.position} have gone meanwhile: reading goes back`
      : "reading goes back further";
  }
  if (restartsOf(after) > restartsOf(before)) return "reading starts again";
  if (after?.mode === "as-they-come" && before?.mode !== "as-they-come") {
    return "pages do not begin at the offsets that were asked for: they are read as they come";
  }
  return undefined;
}

const restartsOf = (memory: OverlapMemory | undefined): number =>
  memory && "restarts" in memory ? memory.restarts : 0;
