import { parseArgs } from "node:util";
import { bundle } from "./figures/bundle.ts";
import { cpu } from "./figures/cpu.ts";
import { fanOut } from "./figures/fan-out.ts";
import { numbers } from "./figures/numbers.ts";
import { schema } from "./figures/schema.ts";
import { soak } from "./figures/soak.ts";
import { unchanged } from "./figures/unchanged.ts";
import { wall } from "./figures/wall.ts";
import { type Figure, passes } from "./measure.ts";
import { print } from "./print.ts";
import { startStubs } from "./stubs.ts";

/*
 * `npm run bench -- [--json] [--soak] [theme …]`: each figure beside its baseline of the same run.
 * Read the ratios; the rest depends on the machine. docs/performance.md has the method.
 */

const themes = { cpu, wall, unchanged, numbers, schema, bundle, "fan-out": fanOut, soak };
type Theme = keyof typeof themes;
const names = Object.keys(themes) as Theme[];

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, soak: { type: "boolean", default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((one) => !Object.hasOwn(themes, one));
if (unknown.length > 0) {
  console.error(`no such theme: ${unknown.join(", ")}; there are ${names.join(", ")}`);
  process.exit(2);
}
const wanted = names.filter((name) =>
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
for (const name of wanted) {
  const began = performance.now();
  figures.push(...(await themes[name](stubs, scale)));
  // People wait for minutes.
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  if (process.stderr.isTTY) console.error(`${name}: ${seconds} s`);
}
stubs.stop();
print(figures, scale, values.json);
if (figures.some((figure) => passes(figure) === false)) process.exitCode = 1;
