import { runSlice } from "../loops/slice.ts";
import {
  type Figure,
  measureLoop,
  median,
  runInterleaved,
  type Sample,
  type Scale,
  type Target,
} from "../measure.ts";
import type { StoredCounts, Stubs } from "../stubs.ts";

/** Measures reading unchanged records again, compared with the first time. */
export async function measureUnchanged(stubs: Stubs, scale: Scale): Promise<Figure[]> {
  return [
    ...(await compareRounds(stubs, scale, "compare")),
    ...(await compareRounds(stubs, scale, "fingerprints")),
  ];
}

async function compareRounds(
  stubs: Stubs,
  { records, rounds }: Scale,
  writes: "compare" | "fingerprints",
): Promise<Figure[]> {
  let unchangedCount = 0;
  const sync = async (target: Stubs) => {
    const report = await runSlice(target, { writes });
    unchangedCount = report.unchanged;
    return report.records;
  };
  await measureLoop(stubs, { records }, sync);
  const { first, again } = await runInterleaved(rounds, {
    first: () => measureLoop(stubs, { records }, sync),
    again: () => measureLoop(stubs, { records, keepTable: true }, sync),
  });
  const createFigure = (
    id: string,
    name: string,
    unit: string,
    quantityOf: (sample: Sample) => number,
    target: Target,
  ): Figure => {
    const value = median(again.map(quantityOf));
    const baseline = median(first.map(quantityOf));
    const ratio = value / baseline;
    return {
      ...{ id: `unchanged-${writes}-${id}`, name: `unchanged resync, ${writes}: ${name}` },
      ...{ unit, value, baseline, ratio },
      target,
    };
  };
  return [
    createFigure("puts", "rows put", "rows", ({ stored }) => stored.puts, { most: 0 }),
    {
      id: `unchanged-${writes}-counted`,
      name: `unchanged resync, ${writes}: rows reported so`,
      ...{
        unit: "rows",
        value: unchangedCount,
        baseline: records,
        ratio: unchangedCount / records,
      },
      target: { least: 1, most: 1 },
    },
    createFigure("cpu", "CPU per record", "µs", ({ cpuSeconds }) => (cpuSeconds / records) * 1e6, {
      most: 0.6,
    }),
    createFigure("dollars", "DynamoDB, per million records", "$", dollarsPerMillion(records), {
      most: 0.11,
    }),
  ];
}

/** The prices of us-east-1: https://aws.amazon.com/dynamodb/pricing/on-demand/ */
const dollarsOf = ({ writeUnits, readUnits }: StoredCounts): number =>
  writeUnits * 0.625e-6 + readUnits * 0.125e-6;

const dollarsPerMillion =
  (records: number) =>
  ({ stored }: Sample): number =>
    (dollarsOf(stored) / records) * 1e6;
