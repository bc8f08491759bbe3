import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { type Figure, median, passesTarget, runInterleaved } from "../measure.ts";
import { printFigures } from "../print.ts";
import {
  checkStored,
  type LoopSetting,
  prepareStubs,
  readStored,
  startStubs,
  sumOfKeys,
} from "../stubs.ts";

/*
 * `npm run bench:peers` compares tidetable with dlt on the same stub API and endpoint, in separate
 * processes and in turn. dlt runs with default settings and with the tuning of dlt's documentation.
 */

const { json } = parseArgs({ options: { json: { type: "boolean", default: false } } }).values;
const records = Number(process.env.BENCH_RECORDS ?? 20_000);
const rounds = Number(process.env.BENCH_ROUNDS ?? 1);
const folder = import.meta.dirname;
const python = join(folder, ".venv/bin/python");

const quietSettings = { RUNTIME__DLTHUB_TELEMETRY: "false", RUNTIME__LOG_LEVEL: "CRITICAL" };
/** https://dlthub.com/docs/reference/performance: more workers, file rotation, larger buffers. */
const tunedSettings = {
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

interface Resources {
  seconds: number;
  cpuSeconds: number;
  peakMb: number;
}

const installProblem = installDlt();
if (installProblem) {
  console.error(`dlt: not compared: ${installProblem}`);
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
  // The batch size of dlt's example of a destination.
  default: dltCommand("10", {}),
  tuned: dltCommand("1000", tunedSettings),
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
  const samples = await runInterleaved(rounds, {
    tidetable: () => runCommand(commands.tidetable, setting),
    default: () => runCommand(commands.default, setting),
    tuned: () => runCommand(commands.tuned, setting),
  });
  const perSecond = (name: keyof typeof samples) =>
    records / median(samples[name].map(({ seconds }) => seconds));
  const cpuOf = (name: keyof typeof samples) =>
    (median(samples[name].map(({ cpuSeconds }) => cpuSeconds)) / records) * 100_000;
  const peakOf = (name: keyof typeof samples) => median(samples[name].map(({ peakMb }) => peakMb));
  for (const peer of ["default", "tuned"] as const) {
    const createFigure = (
      kind: string,
      quantity: string,
      unit: string,
      quantityOf: typeof cpuOf,
      target?: Figure["target"],
    ): Figure => {
      const [value, baseline] = [quantityOf("tidetable"), quantityOf(peer)];
      return {
        ...{ id: `dlt-${peer}-${pageMs}-${writeMs}-${kind}`, unit, value, baseline },
        ...{ name: `beside dlt (${peer}), ${pageMs}/${writeMs} ms: ${quantity}` },
        ratio: value / baseline,
        ...(target ? { target } : {}),
      };
    };
    figures.push(
      createFigure("speed", "records per second", "rec/s", perSecond, { least: 10 }),
      createFigure("cpu", "CPU seconds per 100,000 records", "s", cpuOf, { most: 0.1 }),
      createFigure("memory", "peak memory", "MB", peakOf),
    );
  }
}
stubs.stop();
printFigures(figures, { records, rounds }, json);
if (figures.some((figure) => passesTarget(figure) === false)) process.exitCode = 1;

function dltCommand(batchSize: string, settings: Record<string, string>): Command {
  return {
    file: python,
    args: [join(folder, "dlt_run.py"), stubs.api, stubs.dynamodb, batchSize],
    env: { ...quietSettings, ...settings },
  };
}

/** Installs dlt once. Returns the reason if the installation fails. */
function installDlt(): string | undefined {
  if (existsSync(join(folder, ".venv/installed"))) return undefined;
  const execute = (file: string, ...args: string[]) =>
    execFileSync(file, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  try {
    console.error("installing dlt into bench/peers/.venv");
    execute("python3", "-m", "venv", ".venv");
    execute(python, "-m", "pip", "install", "--quiet", "--requirement", "requirements.txt");
    execute(python, "-c", "import dlt, boto3, orjson; open('.venv/installed', 'w').close()");
    return undefined;
  } catch (error) {
    const { code, message, stderr } = error as Error & { code?: string; stderr?: Buffer };
    if (code === "ENOENT") return "there is no python3 on this machine";
    return (stderr?.toString().trim().split("\n").at(-1) || message).trim();
  }
}

/** Runs a command, and refuses the figures if a record or a key is missing. */
async function runCommand({ file, args, env }: Command, setting: LoopSetting): Promise<Resources> {
  await prepareStubs(stubs, setting);
  await readStored(stubs);
  const { stdout } = await promisify(execFile)(file, args, {
    env: { ...process.env, ...env },
    timeout: 600_000,
  });
  checkStored(await readStored(stubs), { items: records, sum: sumOfKeys(records), puts: records });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}
