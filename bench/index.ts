import { parseArgs } from "node:util";
import { measureBundle } from "./figures/bundle.ts";
import { measureCpu } from "./figures/cpu.ts";
import { measureFanOut } from "./figures/fan-out.ts";
import { measureNumbers } from "./figures/numbers.ts";
import { measureSchema } from "./figures/schema.ts";
import { measureSoak } from "./figures/soak.ts";
import { measureUnchanged } from "./figures/unchanged.ts";
import { measureWallTime } from "./figures/wall.ts";
import { type Figure, passesTarget } from "./measure.ts";
import { printFigures } from "./print.ts";
import { startStubs } from "./stubs.ts";

/*
 * `npm run bench -- [--json] [--soak] [theme …]` prints figures next to baselines of the same run.
 * Only the ratios are independent of the machine. docs/performance.md has the method.
 */

const themes = {
  cpu: measureCpu,
  wall: measureWallTime,
  unchanged: measureUnchanged,
  numbers: measureNumbers,
  schema: measureSchema,
  bundle: measureBundle,
  "fan-out": measureFanOut,
  soak: measureSoak,
};
type Theme = keyof typeof themes;
const themeNames = Object.keys(themes) as Theme[];

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, soak: { type: "boolean", default: false } },
  allowPositionals: true,
});
const unknownNames = positionals.filter((name) => !Object.hasOwn(themes, name));
if (unknownNames.length > 0) {
  console.error(`no such theme: ${unknownNames.join(", ")}; there are ${themeNames.join(", ")}`);
  process.exit(2);
}
const chosenThemes = themeNames.filter((name) =>
  positionals.length > 0 ? positionals.includes(name) : name !== "soak" || values.soak,
);

Object.assign(process.env, {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
});
const scale = {
  records: Number(process.env.BENCH_RECORDS ?? 16_000),
  rounds: Number(process.env.BENCH_ROUNDS ?? 3),
};

const stubs = await startStubs();
const figures: Figure[] = [];
for (const name of chosenThemes) {
  const startedAt = performance.now();
  figures.push(...(await themes[name](stubs, scale)));
  // A theme takes minutes, and the line shows progress.
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  if (process.stderr.isTTY) console.error(`${name}: ${seconds} s`);
}
stubs.stop();
printFigures(figures, scale, values.json);
if (figures.some((figure) => passesTarget(figure) === false)) process.exitCode = 1;
