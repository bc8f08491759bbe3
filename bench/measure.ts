import {
  checkStored,
  prepare,
  type Setting,
  type Stored,
  type Stubs,
  sumTo,
  written,
} from "./stubs.ts";

/** One line of the table. */
export interface Figure {
  id: string;
  name: string;
  value: number;
  unit: string;
  /** What it is compared with, of the same run. */
  baseline: number;
  ratio: number;
  /** For the ratio. Undefined where nothing was promised. */
  target?: Target;
  /** Why there is no verdict in spite of a target. */
  unjudged?: string;
}

export interface Target {
  most?: number;
  least?: number;
}

/** Undefined where it is not judged. */
export function passes({ target, unjudged, ratio }: Figure): boolean | undefined {
  if (!target || unjudged !== undefined) return undefined;
  return ratio <= (target.most ?? ratio) && ratio >= (target.least ?? ratio);
}

/** How much is measured. */
export interface Scale {
  records: number;
  rounds: number;
}

/** Reads everything from the stub API into the stub endpoint; says how many records it read. */
export type Loop = (stubs: Stubs) => Promise<number>;

export interface Sample {
  seconds: number;
  /** Of user and system time, on all threads. */
  cpuSeconds: number;
  stored: Stored;
}

/** Longer than any loop takes: one that waits for ever is to end the benchmark, and not the evening. */
const PATIENCE_MS = 600_000;

/** Runs a loop once, from nothing, and refuses its figures when a record or a key is missing. */
export async function measure(stubs: Stubs, setting: Setting, loop: Loop): Promise<Sample> {
  await prepare(stubs, setting);
  await written(stubs);
  const timer = setTimeout(() => {
    throw new Error(`no end after ${PATIENCE_MS / 1000} s`);
  }, PATIENCE_MS);
  const sample = await timed(() => loop(stubs));
  clearTimeout(timer);
  const stored = await written(stubs);
  const { records: items } = setting;
  // Into a table that has them already, a run may put what it likes.
  const puts = setting.keepTable ? stored.puts : items;
  checkStored(stored, { items, sum: sumTo(items), puts });
  if (sample.result !== items) throw new Error(`wrong result: read ${sample.result} of ${items}`);
  return { ...sample, stored };
}

export async function timed<T>(action: () => Promise<T>) {
  const before = process.cpuUsage();
  const began = performance.now();
  const result = await action();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { result, seconds, cpuSeconds: (user + system) / 1e6 };
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** The variants one after another, again and again, so that the machine's moods meet all of them. */
export async function interleaved<N extends string, S>(
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
