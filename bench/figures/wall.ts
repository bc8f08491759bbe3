import { availableParallelism } from "node:os";
import { naive } from "../loops/naive.ts";
import { slice } from "../loops/slice.ts";
import { type Figure, interleaved, measure, median, type Sample, type Scale } from "../measure.ts";
import { PAGE, type Stubs } from "../stubs.ts";

/** How long a page and a write take, in milliseconds. */
const waits = [
  { pageMs: 0, writeMs: 0 },
  { pageMs: 20, writeMs: 5 },
  { pageMs: 100, writeMs: 0 },
  { pageMs: 100, writeMs: 10 },
] as const;

/** By pages in flight: what share of the limit is to be reached, and how far ahead of a naive loop. */
const targets = [
  { pages: 1, share: 0.9, cores: 1 },
  { pages: 4, share: 0.85, cores: 1, ahead: 5 },
  // Three busy processes on fewer cores wait for each other.
  { pages: 8, share: 0.8, cores: 4, ahead: 9 },
];

/** More batches in flight than any run has: a limit that is set too high flatters nobody. */
const WRITES_IN_FLIGHT = 16;
const BATCH = 25;

/** How close the wall clock comes to what the API, the table and the CPU allow. */
export async function wall(stubs: Stubs, scale: Scale): Promise<Figure[]> {
  const { records } = scale;
  const figures: Figure[] = [];
  for (const wait of waits) {
    const setting = { records, ...wait };
    const isSlowest = wait === waits.at(-1);
    const variants: Record<string, () => Promise<Sample>> = {};
    for (const { pages } of targets) {
      variants[pages] = () => measure(stubs, setting, slice({ pages }));
    }
    if (isSlowest) variants.naive = () => measure(stubs, setting, naive);
    const samples = await interleaved(scale.rounds, variants);
    const fast = isSlowest ? records / median((samples.naive ?? []).map(secondsOf)) : undefined;
    for (const { pages, share, cores, ahead } of targets) {
      const here = samples[pages] ?? [];
      const seconds = median(here.map(secondsOf));
      const sample = here.find((one) => one.seconds === seconds) as Sample;
      const limit = limitOf(sample, setting, pages);
      const where = `${wait.pageMs}/${wait.writeMs} ms, ${pages} in flight`;
      const id = `${wait.pageMs}-${wait.writeMs}-p${pages}`;
      figures.push({
        id: `wall-${id}`,
        name: `limit's share of the time, ${where}`,
        unit: "s",
        value: seconds,
        baseline: limit,
        ratio: limit / seconds,
        target: { least: share },
        ...fewerThan(cores),
      });
      if (fast === undefined || ahead === undefined) continue;
      const value = records / seconds;
      figures.push({
        id: `naive-${id}`,
        name: `beside a naive loop, ${where}`,
        unit: "rec/s",
        value,
        baseline: fast,
        ratio: value / fast,
        target: { least: ahead },
      });
    }
  }
  return figures;
}

const secondsOf = ({ seconds }: Sample): number => seconds;

function fewerThan(cores: number): Pick<Figure, "unjudged"> {
  const here = availableParallelism();
  return here < cores ? { unjudged: `${here} cores; judged on ${cores} or more` } : {};
}

/** In seconds: what takes longest if all else is hidden behind it, one page to begin, one write to end. */
function limitOf(
  { cpuSeconds }: Sample,
  { records, pageMs, writeMs }: { records: number; pageMs: number; writeMs: number },
  pages: number,
): number {
  const api = (Math.ceil(records / PAGE) * pageMs) / pages / 1000;
  const writes = (Math.ceil(records / BATCH) * writeMs) / WRITES_IN_FLIGHT / 1000;
  return Math.max(api, writes, cpuSeconds) + (pageMs + writeMs) / 1000;
}
