import { timed } from "../measure.ts";
import { run } from "./slice.ts";

/* One run of the worker in a process of its own, so that the memory is its own. */

const { stubs, options } = JSON.parse(process.argv[2] ?? "");
const { result, cpuSeconds, seconds } = await timed(() => run(stubs, options));
const { status, records, written, quarantined } = result;
// The kernel's own high-water mark, in KiB: no peak falls between two samples.
const peakMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(
  JSON.stringify({ status, records, written, quarantined, peakMb, cpuSeconds, seconds }),
);
