import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { SourceConfig } from "../../packages/core/src/config/types.ts";
import { openApi } from "../support/api.ts";
import { recordOutput } from "../support/canary.ts";
import { openCliFolder } from "../support/cli.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { serveRoutes } from "./api.ts";
import {
  type CommandResult,
  checkNoSecret,
  checkOutcome,
  checkRequests,
  exactJson,
  itemsIn,
  recordsByResource,
} from "./checks.ts";
import type { Row, Run } from "./rows.ts";

type Command = (argv: string[]) => Promise<CommandResult>;

/**
 * Runs the rows of a subject through the command line. A dlt config is data, so a row is data too:
 * the config, the answers of the API, the expected requests, records and errors.
 */
export function conformance(subject: string, rows: Row[]): void {
  let engine: Engine;
  let folder: string;
  beforeAll(async () => {
    engine = await startDynamodb();
    folder = await mkdtemp(join(tmpdir(), "tidetable-conformance-"));
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe(subject, () => {
    for (const [index, row] of rows.entries()) {
      const source = `s${index}`;
      it(`${subject}: ${row.name}`, () => checkRow(row, { source, folder, engine }));
    }
  });
}

interface Place {
  /** The name of the source, which no other row of the file has. */
  source: string;
  folder: string;
  engine: Engine;
}

async function checkRow(row: Row, { source, folder, engine }: Place): Promise<void> {
  const api = await openApi((request, response) => answer(request, response));
  const cli = row.spawned && (await openCliFolder());
  const home = cli ? cli.folder : folder;
  const secrets = join(home, `${source}-secrets.json`);
  await writeFile(secrets, JSON.stringify(row.secrets ?? {}), { mode: 0o600 });
  const commonOptions = ["--name", source, "--dynamodb", engine.endpoint, "--json"];

  let run: Run = {};
  let answer = serveRoutes({});
  for (const [turn, changes] of [row, ...(row.next ?? [])].entries()) {
    run = mergeRuns(run, changes);
    answer = serveRoutes(run.routes ?? {});
    const { main, core } = await loadModulesAnew();
    const command: Command = cli ? cli.cli : (argv) => runInProcess(main, argv, folder);
    const sourceFile = { folder: home, name: `${source}_${turn}` };
    const file = await writeSource(sourceFile, run, { ...row, core, url: api.url });
    const requestsBefore = api.requests.length;
    const options = [...commonOptions, "--secrets", secrets, ...(changes.args ?? [])];
    const result = await command(["run", file, ...options]);
    result.stdout = result.stdout
      .replaceAll(file, "$file")
      .replaceAll(`"${source}: `, '"$source: ');
    checkNoSecret(result, Object.values(row.secrets ?? {}));
    checkOutcome(result, changes);
    const requests = api.requests.slice(requestsBefore);
    if (changes.problems) expect(requests).toEqual([]);
    checkRequests(requests, changes, hasOneResource(run));
    for (const [resource, expected] of Object.entries(recordsByResource(changes.records))) {
      const { stdout } = await command(["items", `${file}/${resource}`, ...commonOptions]);
      expect(itemsIn(stdout)).toEqual(expected.map(exactJson).sort());
    }
  }
}

function mergeRuns(before: Run, { name: _, next: __, ...changes }: Partial<Row>): Run {
  return { ...before, ...changes };
}

const hasOneResource = (run: Run): boolean => dictOf(run).resources.length === 1;

/** The dict of a run, with `$api` for the address of its API. */
function dictOf({ config, client, resource_defaults, resources, resource, endpoint }: Run) {
  return {
    client: { base_url: "$api", ...client },
    ...(resource_defaults ? { resource_defaults } : {}),
    resources: resources ?? [
      { name: "rows", ...resource, ...(endpoint === undefined ? {} : { endpoint }) },
    ],
    ...config,
  };
}

/** Writes the source of a run to a file. A file cannot hold functions; then it refers to the dict itself. */
async function writeSource(
  { folder, name }: { folder: string; name: string },
  run: Run,
  { python, core, url }: { python?: string; core: Core; url: string },
) {
  const dict = dictOf(run);
  const writeWith = async (extension: string, text: string) => {
    const file = join(folder, name + extension);
    await writeFile(file, text);
    return file;
  };
  if (python !== undefined) return writeWith(".py", python.replaceAll("$api", url));
  if (!holdsFunction(dict)) {
    return writeWith(".json", JSON.stringify(dict).replaceAll("$api", url));
  }
  const shared = globalThis as unknown as Record<string, object>;
  const id = basename(folder) + name;
  shared[id] = core.rest_api_source(fillDict(dict, url, core) as SourceConfig);
  return writeWith(".js", `export default globalThis[${JSON.stringify(id)}];\n`);
}

const holdsFunction = (value: unknown): boolean =>
  typeof value === "function" ||
  (typeof value === "object" && value !== null && Object.values(value).some(holdsFunction));

/** Fills in the address and the secrets, as the JSON loader does, and keeps functions. */
function fillDict(value: unknown, url: string, core: Core): unknown {
  if (typeof value === "string") return value.replaceAll("$api", url);
  if (Array.isArray(value)) return value.map((member) => fillDict(member, url, core));
  if (typeof value !== "object" || value === null) return value;
  if ("$secret" in value) return core.dlt.secrets[String(value.$secret)];
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, fillDict(member, url, core)]),
  );
}

/** Loads the modules anew, as a new process does: modules keep clients from run to run. */
async function loadModulesAnew() {
  vi.resetModules();
  const { main } = await import("../../packages/cli/src/cli.ts");
  return { main, core: await import("@tidetable/core") };
}

type Main = Awaited<ReturnType<typeof loadModulesAnew>>["main"];
type Core = Awaited<ReturnType<typeof loadModulesAnew>>["core"];

async function runInProcess(main: Main, argv: string[], cwd: string) {
  const out = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({ write: (text: string) => (out[name] += text) });
  const { TIDETABLE_SECRET_API_KEY: _, ...env } = process.env;
  const { signal } = new AbortController();
  const streams = { stdout: stream("stdout"), stderr: stream("stderr") };
  const code = await main(argv, { ...streams, env, cwd, signal });
  for (const [name, text] of Object.entries(out)) recordOutput(`${name} of a command`, text);
  return { code, ...out };
}
