/*
 * The API's data, with its past: when each row had which content. The oracle reads it as the truth.
 */

/** What is wrong with a record; DynamoDB can hold none of these. */
export const keyFaults = ["no_key", "null_key", "long_key"] as const;
export const valueFaults = ["long_number", "deep", "surrogate"] as const;
export type RowFault = (typeof keyFaults)[number] | (typeof valueFaults)[number];

/** What a child's request would name of the row. Only `good` makes one. */
export type Slug = "good" | "null" | "empty" | "dots" | "absent";

/** One content of a row, and when the API had it. */
export interface Version {
  /** Grows with every change of the row. */
  n: number;
  from: number;
  until: number;
  /** The time that stands in it, by the API's own clock. */
  stamp: number;
  fault: RowFault | undefined;
  slug: Slug;
  /** A request for what is below the row is answered "not found". */
  isGone: boolean;
}

export interface Row {
  depth: number;
  id: number;
  /** Names the row where it has no usable key. */
  uid: string;
  parent: Row | undefined;
  /** Served twice, as some APIs do with joined rows. */
  isTwin: boolean;
  versions: Version[];
  children: Row[];
}

export const latest = ({ versions }: Row): Version => versions.at(-1) as Version;

export const isThere = (row: Row): boolean => latest(row).until === Number.POSITIVE_INFINITY;

/** The content that the row had all the time, if it was one. `to` may be now. */
export const versionThroughout = (row: Row, from: number, to: number): Version | undefined =>
  row.versions.find((version) => version.from <= from && version.until > to);

/** Whether the API did not have the row at any time of this interval. */
export const isAbsentThroughout = ({ versions }: Row, from: number, to: number): boolean =>
  versions.every((version) => version.until <= from || version.from > to);

export const ancestors = ({ parent }: Row): Row[] => (parent ? [...ancestors(parent), parent] : []);
