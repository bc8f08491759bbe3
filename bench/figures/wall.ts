import { availableParallelism } from "node:os";
import { runFetchOnlyLoop } from "../loops/fetch-only.ts";
import { runNaiveLoop } from "../loops/naive.ts";
import { sliceLoop } from "../loops/slice.ts";
import {
  type Figure,
  measureLoop,
  measureTime,
  median,
  runInterleaved,
  type Sample,
  type Scale,
} from "../measure.ts";
import { PAGE_SIZE, prepareStubs, type Stubs } from "../stubs.ts";

/** The latencies of a page and of a write in milliseconds. */
const latencies = [
  { pageMs: 0, writeMs: 0 },
  { pageMs: 20, writeMs: 5 },
  { pageMs: 100, writeMs: 0 },
  { pageMs: 100, writeMs: 10 },
] as const;

/** The promised share of the limit, and of a naive loop's speed, for each number of parallel pages. */
const targets = [
  { pages: 1, share: 0.9, cores: 1 },
  { pages: 4, share: 0.85, cores: 1, naiveFactor: 5 },
  // The processes of slice, API and table need cores, or wait for each other.
  { pages: 8, share: 0.8, cores: 4, naiveFactor: 9 },
];

/** The promised share of a loop that only fetches, with as many pages in flight. */
const FETCH_ONLY_SHARE = 0.9;

/** An upper bound of a run's batches in flight. A high bound makes the limit stricter. */
const WRITES_IN_FLIGHT = 16;
const BATCH = 25;

/** Compares the elapsed time with the limit of API, table and CPU. */
export async function measureWallTime(stubs: Stubs, scale: Scale): Promise<Figure[]> {
  const { records } = scale;
  const figures: Figure[] = [];
  for (const latency of latencies) {
    const setting = { records, ...latency };
    const isSlowest = latency === latencies.at(-1);
    const variants: Record<string, () => Promise<Timed>> = {};
    for (const { pages } of targets) {
      variants[`fetch-only ${pages}`] = () => measureFetchOnly(stubs, setting, pages);
      variants[pages] = () => measureLoop(stubs, setting, sliceLoop({ pages }));
    }
    if (isSlowest) variants.naive = () => measureLoop(stubs, setting, runNaiveLoop);
    const samples = await runInterleaved(scale.rounds, variants);
    const naiveSpeed = isSlowest
      ? records / median((samples.naive ?? []).map(secondsOf))
      : undefined;
    for (const { pages, share, cores, naiveFactor } of targets) {
      const pageSamples = (samples[pages] ?? []) as Sample[];
      const seconds = median(pageSamples.map(secondsOf));
      const sample = pageSamples.find((candidate) => candidate.seconds === seconds) as Sample;
      const limit = limitOf(sample, setting, pages);
      const description = `${latency.pageMs}/${latency.writeMs} ms, ${pages} in flight`;
      const id = `${latency.pageMs}-${latency.writeMs}-p${pages}`;
      figures.push({
        id: `wall-${id}`,
        name: `limit's share of the time, ${description}`,
        unit: "s",
        value: seconds,
        baseline: limit,
        ratio: limit / seconds,
        target: { least: share },
        ...unjudgedBelow(cores),
      });
      const fetchOnly = median((samples[`fetch-only ${pages}`] ?? []).map(secondsOf));
      figures.push({
        id: `fetch-only-${id}`,
        name: `a fetch-only loop's share of the time, ${description}`,
        unit: "s",
        value: seconds,
        baseline: fetchOnly,
        ratio: fetchOnly / seconds,
        // Without latency, the processor and not the API bounds a run.
        ...(latency.pageMs > 0 ? { target: { least: FETCH_ONLY_SHARE } } : {}),
        ...unjudgedBelow(cores),
      });
      if (naiveSpeed === undefined || naiveFactor === undefined) continue;
      const value = records / seconds;
      figures.push({
        id: `naive-${id}`,
        name: `beside a naive loop, ${description}`,
        unit: "rec/s",
        value,
        baseline: naiveSpeed,
        ratio: value / naiveSpeed,
        target: { least: naiveFactor },
      });
    }
  }
  return figures;
}

type Timed = Pick<Sample, "seconds" | "cpuSeconds">;

/** Measures a loop that fetches the same pages with as many in flight, and writes nothing. */
async function measureFetchOnly(
  stubs: Stubs,
  setting: { records: number; pageMs: number; writeMs: number },
  pages: number,
): Promise<Timed> {
  await prepareStubs(stubs, setting);
  return measureTime(() => runFetchOnlyLoop(stubs, { ...setting, pages }));
}

const secondsOf = ({ seconds }: Timed): number => seconds;

function unjudgedBelow(cores: number): Pick<Figure, "unjudged"> {
  const presentCores = availableParallelism();
  return presentCores < cores
    ? { unjudged: `${presentCores} cores; judged on ${cores} or more` }
    : {};
}

/** The lower bound in seconds: the slowest of API, table and CPU, plus the first page and last write. */
function limitOf(
  { cpuSeconds }: Sample,
  { records, pageMs, writeMs }: { records: number; pageMs: number; writeMs: number },
  pages: number,
): number {
  const apiSeconds = (Math.ceil(records / PAGE_SIZE) * pageMs) / pages / 1000;
  const writeSeconds = (Math.ceil(records / BATCH) * writeMs) / WRITES_IN_FLIGHT / 1000;
  return Math.max(apiSeconds, writeSeconds, cpuSeconds) + (pageMs + writeMs) / 1000;
}
