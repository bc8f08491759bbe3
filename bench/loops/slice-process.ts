import { measureTime } from "../measure.ts";
import { runSlice } from "./slice.ts";

/* Runs the worker once in a separate process, for measuring the memory. */

const { stubs, options } = JSON.parse(process.argv[2] ?? "");
const { result, cpuSeconds, seconds } = await measureTime(() => runSlice(stubs, options));
const { status, records, written, quarantined } = result;
// The kernel reports the peak in KiB, and misses no peak, unlike sampling.
const peakMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(
  JSON.stringify({ status, records, written, quarantined, peakMb, cpuSeconds, seconds }),
);
