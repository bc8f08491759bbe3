import {
  checkStored,
  type LoopSetting,
  prepareStubs,
  readStored,
  type StoredCounts,
  type Stubs,
  sumOfKeys,
} from "./stubs.ts";

/** A line of the table. */
export interface Figure {
  id: string;
  name: string;
  value: number;
  unit: string;
  /** The value for comparison, from the same run. */
  baseline: number;
  ratio: number;
  /** The promised limits of the ratio. Undefined without a promise. */
  target?: Target;
  /** The reason for a missing verdict in spite of a target. */
  unjudged?: string;
}

export interface Target {
  most?: number;
  least?: number;
}

/** Compares the ratio with the target. Undefined for a figure without a verdict. */
export function passesTarget({ target, unjudged, ratio }: Figure): boolean | undefined {
  if (!target || unjudged !== undefined) return undefined;
  return ratio <= (target.most ?? ratio) && ratio >= (target.least ?? ratio);
}

/** The size of a measurement. */
export interface Scale {
  records: number;
  rounds: number;
}

/** Copies the stub API's records into the stub endpoint. Returns the number of records. */
export type Loop = (stubs: Stubs) => Promise<number>;

export interface Sample {
  seconds: number;
  /** User and system time of every thread. */
  cpuSeconds: number;
  stored: StoredCounts;
}

/** A time-out longer than any loop, for loops without an end. */
const LOOP_TIMEOUT_MS = 600_000;

/** Runs a loop with empty tables, and refuses the figures if a record or a key is missing. */
export async function measureLoop(stubs: Stubs, setting: LoopSetting, loop: Loop): Promise<Sample> {
  await prepareStubs(stubs, setting);
  await readStored(stubs);
  const timer = setTimeout(() => {
    throw new Error(`no end after ${LOOP_TIMEOUT_MS / 1000} s`);
  }, LOOP_TIMEOUT_MS);
  const sample = await measureTime(() => loop(stubs));
  clearTimeout(timer);
  const stored = await readStored(stubs);
  const { records: items } = setting;
  // With the records already in the table, any number of puts is allowed.
  const puts = setting.keepTable ? stored.puts : items;
  checkStored(stored, { items, sum: sumOfKeys(items), puts });
  if (sample.result !== items) throw new Error(`wrong result: read ${sample.result} of ${items}`);
  return { ...sample, stored };
}

export async function measureTime<T>(action: () => Promise<T>) {
  const startUsage = process.cpuUsage();
  const startedAt = performance.now();
  const result = await action();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(startUsage);
  return { result, seconds, cpuSeconds: (user + system) / 1e6 };
}

export const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] as number;

/** Runs the variants in turn, round after round: a slow phase of the machine affects every variant. */
export async function runInterleaved<N extends string, S>(
  rounds: number,
  variants: Record<N, () => Promise<S>>,
): Promise<Record<N, S[]>> {
  const names = Object.keys(variants) as N[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as S[]])) as Record<N, S[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples[name].push(await variants[name]());
  }
  return samples;
}
