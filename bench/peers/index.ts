import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { type Figure, interleaved, median, passes } from "../measure.ts";
import { print } from "../print.ts";
import { checkStored, prepare, type Setting, startStubs, sumTo, written } from "../stubs.ts";

/*
 * `npm run bench:peers`: dlt and tidetable read the same stub API into the same stub endpoint, each
 * in a process of its own, in turn. dlt as it comes, and as its own documentation tunes it.
 */

const { json } = parseArgs({ options: { json: { type: "boolean", default: false } } }).values;
const records = Number(process.env.BENCH_RECORDS ?? 20_000);
const rounds = Number(process.env.BENCH_ROUNDS ?? 1);
const folder = import.meta.dirname;
const python = join(folder, ".venv/bin/python");

const quiet = { RUNTIME__DLTHUB_TELEMETRY: "false", RUNTIME__LOG_LEVEL: "CRITICAL" };
/** https://dlthub.com/docs/reference/performance: workers, file rotation so that they have work, larger buffers. */
const tuning = {
  EXTRACT__WORKERS: "8",
  NORMALIZE__WORKERS: "2",
  LOAD__WORKERS: "8",
  DATA_WRITER__BUFFER_MAX_ITEMS: "10000",
  DATA_WRITER__FILE_MAX_ITEMS: "1000",
  NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION: "true",
};

interface Command {
  file: string;
  args: string[];
  env: Record<string, string>;
}

interface Ended {
  seconds: number;
  cpuSeconds: number;
  peakMb: number;
}

const missing = install();
if (missing) {
  console.error(`dlt: not compared: ${missing}`);
  process.exit(2);
}

const stubs = await startStubs();
const commands = {
  tidetable: {
    file: process.execPath,
    args: [
      ...["--import", "tsx", join(folder, "../loops/slice-process.ts")],
      JSON.stringify({ stubs }),
    ],
    env: { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench" },
  },
  // As in dlt's own example of a destination.
  default: dltWith("10", {}),
  tuned: dltWith("1000", tuning),
};
for (const { file, args, env } of Object.values(commands)) {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  console.error([...settings, file, ...args].join(" "));
}

const figures: Figure[] = [];
for (const [pageMs, writeMs] of [
  [0, 0],
  [100, 10],
] as const) {
  const setting = { records, pageMs, writeMs };
  const samples = await interleaved(rounds, {
    tidetable: () => run(commands.tidetable, setting),
    default: () => run(commands.default, setting),
    tuned: () => run(commands.tuned, setting),
  });
  const perSecond = (name: keyof typeof samples) =>
    records / median(samples[name].map(({ seconds }) => seconds));
  const cpuOf = (name: keyof typeof samples) =>
    (median(samples[name].map(({ cpuSeconds }) => cpuSeconds)) / records) * 100_000;
  const peakOf = (name: keyof typeof samples) => median(samples[name].map(({ peakMb }) => peakMb));
  for (const peer of ["default", "tuned"] as const) {
    const figure = (
      kind: string,
      what: string,
      unit: string,
      of: typeof cpuOf,
      target?: Figure["target"],
    ): Figure => {
      const [value, baseline] = [of("tidetable"), of(peer)];
      return {
        ...{ id: `dlt-${peer}-${pageMs}-${writeMs}-${kind}`, unit, value, baseline },
        ...{ name: `beside dlt (${peer}), ${pageMs}/${writeMs} ms: ${what}` },
        ratio: value / baseline,
        ...(target ? { target } : {}),
      };
    };
    figures.push(
      figure("speed", "records per second", "rec/s", perSecond, { least: 10 }),
      figure("cpu", "CPU seconds per 100,000 records", "s", cpuOf, { most: 0.1 }),
      figure("memory", "peak memory", "MB", peakOf),
    );
  }
}
stubs.stop();
print(figures, { records, rounds }, json);
if (figures.some((figure) => passes(figure) === false)) process.exitCode = 1;

function dltWith(batchSize: string, settings: Record<string, string>): Command {
  return {
    file: python,
    args: [join(folder, "dlt_run.py"), stubs.api, stubs.dynamodb, batchSize],
    env: { ...quiet, ...settings },
  };
}

/** Installs dlt once. Returns why that can not be done here. */
function install(): string | undefined {
  if (existsSync(join(folder, ".venv/installed"))) return undefined;
  const call = (file: string, ...args: string[]) =>
    execFileSync(file, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  try {
    console.error("installing dlt into bench/peers/.venv");
    call("python3", "-m", "venv", ".venv");
    call(python, "-m", "pip", "install", "--quiet", "--requirement", "requirements.txt");
    call(python, "-c", "import dlt, boto3, orjson; open('.venv/installed', 'w').close()");
    return undefined;
  } catch (error) {
    const { code, message, stderr } = error as Error & { code?: string; stderr?: Buffer };
    if (code === "ENOENT") return "there is no python3 on this machine";
    return (stderr?.toString().trim().split("\n").at(-1) || message).trim();
  }
}

/** Runs one to its end, and refuses its figures when a record or a key is missing. */
async function run({ file, args, env }: Command, setting: Setting): Promise<Ended> {
  await prepare(stubs, setting);
  await written(stubs);
  const { stdout } = await promisify(execFile)(file, args, {
    env: { ...process.env, ...env },
    timeout: 600_000,
  });
  checkStored(await written(stubs), { items: records, sum: sumTo(records), puts: records });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}
