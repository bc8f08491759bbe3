import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { main } from "../../packages/cli/src/cli.ts";
import { type ApiRequest, type Handler, openApi, type Reply } from "../support/api.ts";
import { launchDynalite } from "../support/engines.ts";

/*
 * These suites know the product by its command line alone, and the API by what a test lets it show.
 * One engine serves a file of tests; each test has a source, an API and a data folder of its own.
 */

let engine: Awaited<ReturnType<typeof launchDynalite>>;
beforeAll(async () => {
  engine = await launchDynalite();
});
afterAll(() => engine.stop());
export const endpoint = (): string => engine.endpoint;

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of all commands.
export type Json = any;

/** What a command has written, and its exit code. */
export interface Said {
  exit: number;
  stdout: string;
  stderr: string;
  json(): Json;
}

/** What became of a run: its exit code and its document. */
export interface Ran {
  exit: number;
  document: Json;
  /** The part of one resource. Of a config that was refused there is none. */
  of(resource: string): Json;
}

/** An API may leave a request unanswered: `"hang"`. */
type Answer = Reply | "hang";
type Behaviour = (request: ApiRequest) => Answer | Promise<Answer>;
/** Looks at each request first; what it returns nothing for goes on to the API. */
type Hook = (request: ApiRequest) => Answer | undefined | Promise<Answer | undefined>;

/** What a command may take. One that waits for ever is interrupted then, and fails its test. */
const PATIENCE_MS = 90_000;

/** A command that is under way in this process. `interrupt` is Ctrl-C. */
function command(argv: string[], cwd: string, input: string | undefined) {
  const out = { stdout: "", stderr: "" };
  const stop = new AbortController();
  const ended = main(argv, {
    stdout: { write: (text) => (out.stdout += text) },
    stderr: { write: (text) => (out.stderr += text) },
    env: { NO_COLOR: "1" },
    cwd,
    signal: stop.signal,
    ...(input === undefined ? {} : { input: async () => input }),
  }).then((exit): Said => ({ exit, ...out, json: () => JSON.parse(out.stdout) }));
  const interrupt = () => stop.abort(new Error("interrupted by SIGINT"));
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      interrupt();
      reject(
        new Error(`\`${argv.slice(0, 4).join(" ")}\` does not end: ${out.stderr.slice(-300)}`),
      );
    }, PATIENCE_MS);
    ended.finally(() => clearTimeout(timer)).catch(() => {});
  });
  return { ended: Promise.race([ended, late]), interrupt };
}

let shops = 0;

/** A source, its API and its data folder. */
export async function shop(dict: (url: string) => object, behave: Behaviour) {
  shops += 1;
  const name = `shop${shops}`;
  const folder = await mkdtemp(join(tmpdir(), "tidetable-model-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  const hooks: { before?: Hook | undefined } = {};
  const handler: Handler = async (request) => {
    const reply = (await hooks.before?.(request)) ?? (await behave(request));
    return reply === "hang" ? undefined : reply;
  };
  const api = await openApi(handler);
  const file = join(folder, `${name}.json`);
  const configure = (config: object) => writeFile(file, JSON.stringify(config));
  await configure(dict(api.url));

  const start = (argv: string[], input?: string) =>
    command(
      [...argv, "--data", join(folder, "data"), "--dynamodb", engine.endpoint],
      folder,
      input,
    );
  const cli = (...argv: string[]) => start(argv).ended;

  const ran = ({ exit, json }: Said): Ran => {
    const document = json();
    const of = (resource: string) =>
      document.resources?.find((part: Json) => part.resource === resource);
    return { exit, document, of };
  };
  const run = async (...more: string[]) => ran(await cli("run", file, "--json", ...more));

  /** A run that is interrupted when the API gets a request of this kind, which it never answers. */
  const interruptedAt = async (isIt: (request: ApiRequest) => boolean, ...more: string[]) => {
    const running = start(["run", file, "--json", ...more]);
    hooks.before = (request) => {
      if (!isIt(request)) return undefined;
      running.interrupt();
      return "hang";
    };
    try {
      return ran(await running.ended);
    } finally {
      hooks.before = undefined;
    }
  };

  const items = async (resource: string): Promise<Json[]> => {
    const { exit, stdout } = await cli("items", `${file}/${resource}`, "--json");
    if (exit !== 0) return [];
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  };
  /** A field of all items, as texts in order. */
  const column = async (resource: string, field = "id"): Promise<string[]> =>
    (await items(resource)).map((item) => String(item[field])).sort(byNumber);

  const state = async (resource: string): Promise<Json> =>
    (await cli("state", `${file}/${resource}`, "--json")).json().resources[0];
  const history = async (resource: string): Promise<Json[]> =>
    (await cli("status", `${file}/${resource}`, "--json")).json().resources[0].runs;

  /** An event of the schedule function, as AWS delivers it. */
  const invoke = async (event: object, ...more: string[]) => {
    const argv = ["invoke", "-", file, "--json", ...more];
    return start(argv, JSON.stringify({ source: name, ...event })).ended;
  };
  /** The same, which has to be understood. Whether its run went well is another question. */
  const deliver = async (event: object, ...more: string[]): Promise<Json> => {
    const said = await invoke(event, ...more);
    expect(said.exit, said.stdout + said.stderr).not.toBe(2);
    return said.json();
  };
  /** Ticks until nothing is under way and nothing is left to start. */
  const settle = async () => {
    for (let round = 0; round < 60; round++) {
      const { started } = await deliver({ resume: true });
      const { resources } = (await cli("state", file, "--json")).json();
      const busy = resources.some((one: Json) => one.lease || one.status === "running");
      if (started.length === 0 && !busy) return;
      await wait(50);
    }
    throw new Error("the source does not come to rest");
  };

  return {
    name,
    file,
    folder,
    url: api.url,
    requests: api.requests,
    hooks,
    configure,
    start,
    cli,
    ran,
    run,
    interruptedAt,
    items,
    column,
    state,
    history,
    invoke,
    deliver,
    settle,
    refresh: { full_refresh: true, confirm: name },
    reset: (resource: string, ...more: string[]) =>
      cli("reset", `${file}/${resource}`, "--yes", "--json", ...more),
  };
}

export type Shop = Awaited<ReturnType<typeof shop>>;

export const byNumber = (a: string, b: string): number => Number(a) - Number(b) || (a < b ? -1 : 1);

/** A source whose requests are tried once, and whose resources merge by id unless they say more. */
export const source =
  (
    resources: (object | string)[],
    { client = {}, defaults = {} }: { client?: object; defaults?: object } = {},
  ) =>
  (url: string) => ({
    client: {
      base_url: url,
      error_handler: { max_retries: 0, backoff_factor: 0.001 },
      ...client,
    },
    resource_defaults: {
      primary_key: "id",
      endpoint: { data_selector: "data", paginator: "single_page" },
      ...defaults,
    },
    resources,
  });

/** Everything in one answer. */
export const data = (rows: readonly unknown[]): Reply => ({ body: { data: rows } });

/** Whole numbers from one to the other, both included. */
export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

export const texts = (values: readonly (number | string)[]): string[] =>
  values.map(String).sort(byNumber);
