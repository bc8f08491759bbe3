import { run } from "../loops/slice.ts";
import {
  type Figure,
  interleaved,
  measure,
  median,
  type Sample,
  type Scale,
  type Target,
} from "../measure.ts";
import type { Stored, Stubs } from "../stubs.ts";

/** What it costs to read again what is in the table already, beside the first time. */
export async function unchanged(stubs: Stubs, scale: Scale): Promise<Figure[]> {
  return [
    ...(await beside(stubs, scale, "compare")),
    ...(await beside(stubs, scale, "fingerprints")),
  ];
}

async function beside(
  stubs: Stubs,
  { records, rounds }: Scale,
  writes: "compare" | "fingerprints",
): Promise<Figure[]> {
  let same = 0;
  const sync = async (to: Stubs) => {
    const report = await run(to, { writes });
    same = report.unchanged;
    return report.records;
  };
  await measure(stubs, { records }, sync);
  const { first, again } = await interleaved(rounds, {
    first: () => measure(stubs, { records }, sync),
    again: () => measure(stubs, { records, keepTable: true }, sync),
  });
  const figure = (
    id: string,
    name: string,
    unit: string,
    of: (sample: Sample) => number,
    target: Target,
  ): Figure => {
    const value = median(again.map(of));
    const baseline = median(first.map(of));
    const ratio = value / baseline;
    return {
      ...{ id: `unchanged-${writes}-${id}`, name: `unchanged resync, ${writes}: ${name}` },
      ...{ unit, value, baseline, ratio },
      target,
    };
  };
  return [
    figure("puts", "rows put", "rows", ({ stored }) => stored.puts, { most: 0 }),
    {
      id: `unchanged-${writes}-counted`,
      name: `unchanged resync, ${writes}: rows reported so`,
      ...{ unit: "rows", value: same, baseline: records, ratio: same / records },
      target: { least: 1, most: 1 },
    },
    figure("cpu", "CPU per record", "µs", (one) => (one.cpuSeconds / records) * 1e6, { most: 0.6 }),
    figure("dollars", "DynamoDB, per million records", "$", perMillion(records), { most: 0.11 }),
  ];
}

/** In us-east-1: https://aws.amazon.com/dynamodb/pricing/on-demand/ */
const dollarsOf = ({ writeUnits, readUnits }: Stored): number =>
  writeUnits * 0.625e-6 + readUnits * 0.125e-6;

const perMillion =
  (records: number) =>
  ({ stored }: Sample): number =>
    (dollarsOf(stored) / records) * 1e6;
