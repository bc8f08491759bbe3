import type { Level } from "../draw/levels.ts";
import type { Process } from "../process.ts";
import type { Slot } from "./subject.ts";

/** What the oracle knows of one invocation of the worker. */
export interface Known {
  resource: string;
  slot: Slot;
  runId: string;
  /** The leases that it has taken, by resource and slot. */
  leases: Map<string, { token: number; until: number }>;
  requests: number;
  /** How often each URL was asked for since a page of it has come. */
  asked: Map<string, number>;
  /** The resource as it was deployed when the worker began. */
  level: Level;
  /** The event asks for a refresh. */
  isRefresh: boolean;
  /** The status that it has reported; undefined while it is at work. */
  outcome: string | undefined;
  /** It is no worker: a reset, which may delete everything. */
  isReset: boolean;
}

/** What a process begins with. */
export type Beginning = Pick<Known, "resource" | "slot" | "runId" | "isReset" | "isRefresh">;

/** What is known of each process. */
export class KnownProcesses {
  readonly #known = new WeakMap<Process, Known>();

  begin(process: Process, what: Beginning, level: Level): void {
    this.#known.set(process, {
      ...what,
      level,
      leases: new Map(),
      outcome: undefined,
      requests: 0,
      asked: new Map(),
    });
  }

  of(process: Process): Known {
    const known = this.#known.get(process);
    if (!known) throw new Error(`nothing is known of ${process.name}`);
    return known;
  }

  has(process: Process): boolean {
    return this.#known.has(process);
  }
}

/** Whether what a worker has read is safe: one that has died or failed may have lost some of it. */
export const keepsItsPages = (process: Process, { outcome }: Known): boolean =>
  outcome === undefined
    ? process.state === "running" && !process.hasFrozen
    : outcome === "done" || outcome === "running";

/** The lease of a resource in one of its slots. */
export const leaseName = (resource: string, slot: Slot): string =>
  `${resource}/${slot === "sample" ? "own" : slot}`;

export const leaseOf = (known: Known, name: string): { token: number; until: number } =>
  known.leases.get(name) ?? { token: 0, until: 0 };

export type Counted = Record<string, unknown>;

/** 0 when every record went somewhere. */
export const unaccounted = (counts: Counted): number =>
  ["written", "unchanged", "superseded", "quarantined"].reduce(
    (left, name) => left - Number(counts[name]),
    Number(counts.records),
  );
