import type { Served } from "./api.ts";
import type { Model, Row } from "./api-model.ts";
import type { Dynamodb } from "./dynamodb.ts";
import type { Item } from "./expressions.ts";
import type { Process } from "./process.ts";

/** One resource as the oracle knows it. */
export interface Subject {
  name: string;
  model: Model;
  table: string;
  /** Nothing may ever put a row back, however late it lands. */
  ordered: boolean;
  /** Who took the lease last, and how often it was taken. */
  holder: Process | undefined;
  token: number;
  /** When the current run began: the version of each row that the API had then. */
  atStart: Map<Row, number>;
  /** The ids of the runs that were done. */
  done: Set<string | undefined>;
  /** The newest version of each row that was set aside, by uid. */
  quarantined: Map<string, number>;
  /** Keys that a late batch put back to an older version. */
  stale: Set<string>;
}

/** What the oracle knows of one invocation. */
export interface Known {
  token: number;
  leaseUntil: number;
  /** Pages that it got and has not checkpointed. */
  unchecked: Served[];
  pages: number;
  requests: number;
  finished: boolean;
}

/** All that the oracle remembers. */
export interface Knowledge {
  subjects: Subject[];
  of(process: Process): Known;
  /** What the table has for a row. */
  stored(subject: Subject, row: Row): Item | undefined;
  /** Why a version of a row is not safe; undefined when it, or a newer one, is, or the row is gone. */
  missing(subject: Subject, row: Row, version?: number): string | undefined;
}

/** By resource. */
export interface Deployed {
  models: Record<string, Model>;
  tables: Record<string, string>;
  /** Written row by row, each on condition that the table has nothing newer. */
  ordered: ReadonlySet<string>;
}

export function openKnowledge(
  { models, tables, ordered }: Deployed,
  dynamodb: () => Dynamodb,
): Knowledge {
  const subjects = Object.entries(models).map(
    ([name, model]): Subject => ({
      name,
      model,
      table: tables[name] as string,
      ordered: ordered.has(name),
      holder: undefined,
      token: 0,
      atStart: new Map(),
      done: new Set(),
      quarantined: new Map(),
      stale: new Set(),
    }),
  );
  const processes = new WeakMap<Process, Known>();
  const nothing = (): Known => ({
    token: 0,
    leaseUntil: 0,
    unchecked: [],
    pages: 0,
    requests: 0,
    finished: false,
  });
  const stored = (subject: Subject, row: Row) => dynamodb().item(subject.table, String(row.id));

  return {
    subjects,
    stored,
    of(process) {
      const known = processes.get(process) ?? nothing();
      processes.set(process, known);
      return known;
    },
    missing(subject, row, version = row.version) {
      if (!subject.model.rows.some(({ id }) => id === row.id)) return undefined;
      const item = stored(subject, row);
      const safe = Math.max(versionOf(item), subject.quarantined.get(row.uid) ?? 0);
      if (safe >= version || subject.stale.has(String(row.id))) return undefined;
      return `${row.uid}@${version} is ${item ? `in the table as @${versionOf(item)}` : "nowhere"}`;
    },
  };
}

export const numberOf = (value: Item[string] | undefined): number => Number(value?.N ?? 0);

export const versionOf = (item: Item | undefined): number => numberOf(item?.version);

export type Counted = Record<string, unknown>;

/** 0 when every record went somewhere. */
export const unaccounted = (counts: Counted): number =>
  ["written", "unchanged", "superseded", "quarantined"].reduce(
    (left, name) => left - Number(counts[name]),
    Number(counts.records),
  );
