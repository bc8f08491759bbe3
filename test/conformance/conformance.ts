import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { SourceConfig } from "../../packages/core/src/config/types.ts";
import { openApi } from "../support/api.ts";
import { recordOutput } from "../support/canary.ts";
import { openCliFolder } from "../support/cli.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { serve } from "./api.ts";
import {
  assertSecret,
  byResource,
  checkOutcome,
  checkRequests,
  type Ended,
  exact,
  itemsIn,
} from "./checks.ts";
import type { Row, Run } from "./rows.ts";

type Command = (argv: string[]) => Promise<Ended>;

/** A dlt config is data: the rows of a subject, each through the command line. */
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
    for (const [index, row] of rows.entries()) it(row.name, () => show(row, `s${index}`));

    async function show(row: Row, source: string) {
      const api = await openApi((request, response) => answer(request, response));
      const own = row.spawned && (await openCliFolder());
      const home = own ? own.folder : folder;
      const secrets = join(home, `${source}-secrets.json`);
      await writeFile(secrets, JSON.stringify(row.secrets ?? {}), { mode: 0o600 });
      const common = ["--name", source, "--dynamodb", engine.endpoint, "--json"];

      let run: Run = {};
      let answer = serve({});
      for (const [turn, next] of [row, ...(row.next ?? [])].entries()) {
        run = merged(run, next);
        answer = serve(run.routes ?? {});
        const { main, core } = await likeNew();
        const command: Command = own ? own.cli : (argv) => inProcess(main, argv, folder);
        const file = await put(home, `${source}_${turn}`, run, { ...row, core, url: api.url });
        const before = api.requests.length;
        const options = [...common, "--secrets", secrets, ...(next.args ?? [])];
        const ended = await command(["run", file, ...options]);
        ended.stdout = ended.stdout
          .replaceAll(file, "$file")
          .replaceAll(`"${source}: `, '"$source: ');
        assertSecret(ended, Object.values(row.secrets ?? {}));
        checkOutcome(ended, next);
        const seen = api.requests.slice(before);
        if (next.problems) expect(seen).toEqual([]);
        checkRequests(seen, next, isAlone(run));
        for (const [resource, expected] of Object.entries(byResource(next.records))) {
          const { stdout } = await command(["items", `${file}/${resource}`, ...common]);
          expect(itemsIn(stdout)).toEqual(expected.map(exact).sort());
        }
      }
    }
  });
}

function merged(before: Run, { name: _, next: __, ...more }: Partial<Row>): Run {
  return { ...before, ...more };
}

const isAlone = (run: Run): boolean => dictOf(run).resources.length === 1;

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

/** Writes a run's source to a file. One with functions in it is handed over as it is. */
async function put(
  folder: string,
  name: string,
  run: Run,
  { python, core, url }: { python?: string; core: Core; url: string },
) {
  const dict = dictOf(run);
  const write = async (extension: string, text: string) => {
    const file = join(folder, name + extension);
    await writeFile(file, text);
    return file;
  };
  if (python !== undefined) return write(".py", python.replaceAll("$api", url));
  if (!holdsFunction(dict)) {
    return write(".json", JSON.stringify(dict).replaceAll("$api", url));
  }
  const shared = globalThis as unknown as Record<string, object>;
  const id = basename(folder) + name;
  shared[id] = core.rest_api_source(live(dict, url, core) as SourceConfig);
  return write(".js", `export default globalThis[${JSON.stringify(id)}];\n`);
}

const holdsFunction = (value: unknown): boolean =>
  typeof value === "function" ||
  (typeof value === "object" && value !== null && Object.values(value).some(holdsFunction));

/** What the JSON loader would make of it, functions aside. */
function live(value: unknown, url: string, core: Core): unknown {
  if (typeof value === "string") return value.replaceAll("$api", url);
  if (Array.isArray(value)) return value.map((one) => live(one, url, core));
  if (typeof value !== "object" || value === null) return value;
  if ("$secret" in value) return core.dlt.secrets[String(value.$secret)];
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, live(one, url, core)]));
}

/** The command as a new process has it: a worker keeps its clients, and this process has many. */
async function likeNew() {
  vi.resetModules();
  const { main } = await import("../../packages/local/src/cli.ts");
  return { main, core: await import("@tidetable/core") };
}

type Main = Awaited<ReturnType<typeof likeNew>>["main"];
type Core = Awaited<ReturnType<typeof likeNew>>["core"];

async function inProcess(main: Main, argv: string[], cwd: string) {
  const out = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({ write: (text: string) => (out[name] += text) });
  const { TIDETABLE_SECRET_API_KEY: _, ...env } = process.env;
  const { signal } = new AbortController();
  const streams = { stdout: stream("stdout"), stderr: stream("stderr") };
  const code = await main(argv, { ...streams, env, cwd, signal });
  for (const [name, text] of Object.entries(out)) recordOutput(`${name} of a command`, text);
  return { code, ...out };
}
