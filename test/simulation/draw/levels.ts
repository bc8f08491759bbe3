/** What a resource of the simulated source is: its config in the simulation's own words. */
export interface Level {
  /** 1 is the topmost. */
  depth: 1 | 2 | 3;
  name: string;
  /** False: it is read for its children, and nothing of it is stored. */
  isStored: boolean;
  rows: RowKind;
  cursor: CursorDraw | undefined;
  paging: Paging;
  /** The order in which the API lists its rows. */
  order: Order;
  /** Fields of the parent that each row gets. */
  include: readonly ("id" | "updated_at")[];
  /** What a parent record without a usable value means; undefined: the default, to set it aside. */
  onMissing: "skip" | undefined;
  onError: "skip" | undefined;
  writes: "compare" | "fingerprints" | undefined;
  parallelPages: number | undefined;
  allowsShrink: boolean;
}

export const rowKinds = [
  "merge",
  "insert_only",
  "ordered",
  "replace",
  "replace_keyless",
  "append_keyed",
  "append",
] as const;

export type RowKind = (typeof rowKinds)[number];

export type Order = "id" | "newest" | "shuffled" | "stamp" | "stamp_desc";

export type StampFormat = "iso" | "iso_s" | "epoch_s" | "date" | "rfc" | "naive";

export interface CursorDraw {
  format: StampFormat;
  /** Seconds; of dates, days. */
  lag: number;
  /** Times by the API's clock, in virtual milliseconds. */
  initial: number | undefined;
  end: number | undefined;
  /** In milliseconds. */
  step: number | undefined;
  rangeStart: "open" | "closed";
  rangeEnd: "open" | "closed";
  isPerParent: boolean;
  /** The config names the order, so that paging can end early. */
  saysOrder: boolean;
  /** The API filters by what the request says; else the engine alone does. */
  isFiltered: boolean;
}

export const families = [
  "page_number",
  "offset",
  "cursor",
  "json_link",
  "header_link",
  "single_page",
] as const;

export interface Paging {
  family: (typeof families)[number];
  /** Where links and offsets lead to: a position that counts rows, or the row after the last. */
  by: "number" | "key";
  /** What is asked for, where the request says it. */
  limit: number;
  /** The most that the API sends at once. */
  cap: number;
  /** Undefined: the default. */
  overlap: number | undefined;
  total: "always" | "once" | "never";
  basePage: 0 | 1;
  /** The config names no paginator. */
  isDetected: boolean;
}

/** Rows that a page of this list has at most. */
export const pageSize = ({ family, limit, cap }: Paging): number =>
  family === "single_page" ? Number.POSITIVE_INFINITY : Math.min(limit, cap);

/** Pages are found by their number and show no row of the one before: rows that move go unseen. */
export const isNumbered = ({ by, family, limit, overlap }: Paging): boolean =>
  by === "number" &&
  family !== "single_page" &&
  (family !== "offset" || overlap === 0 || limit < 10);

/** Offsets of a list that grows from a few rows cannot overlap at first, and count as numbered then. */
export const mayCountAsNumbered = (paging: Paging): boolean =>
  isNumbered(paging) || paging.family === "offset";

/** A row has a key of its own in the table. */
export const isKeyed = ({ rows }: Level): boolean =>
  rows === "merge" || rows === "insert_only" || rows === "ordered" || rows === "replace";

export const isReplaced = ({ rows }: Level): boolean =>
  rows === "replace" || rows === "replace_keyless";

export const isAppended = ({ rows }: Level): boolean =>
  rows === "append" || rows === "append_keyed";

/** Every run of it, or of an ancestor, reads changes only. */
export const movesOn = ({ cursor, isStored, ...level }: Level): boolean =>
  cursor !== undefined &&
  cursor.end === undefined &&
  !(isStored && isReplaced({ ...level, cursor, isStored }));

/** The cursor lets in a range only: from some time on, or up to some time. */
export const isBoundedCursor = ({ cursor }: Level): boolean =>
  cursor?.initial !== undefined || cursor?.end !== undefined;
