import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import { tableName } from "../packages/core/src/base/names.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { localNames } from "../packages/local/src/base/names.ts";
import { openEmbeddedEngine } from "../packages/local/src/engine/embedded-engine.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { cliFolder } from "./support/cli.ts";
import { clientOf, scan } from "./support/dynamodb.ts";
import { type Fault, faultyDynamodb } from "./support/faulty-dynamodb.ts";

/*
 * The command line as a real process, killed with SIGKILL at its calls to DynamoDB: the embedded
 * engine, on disk. Only a call changes what is stored, so a death after every call is a death in
 * every state. TIDETABLE_KILLS=all adds the deaths before every call, and all pairs of deaths.
 */
const all = process.env.TIDETABLE_KILLS === "all";
/** A command that starts keeps a core busy. */
const AT_ONCE = 2;

interface Kill {
  /** Counted from 1. */
  call: number;
  when: "before" | "after";
}
const before = (call: number): Kill => ({ call, when: "before" });
const after = (call: number): Kill => ({ call, when: "after" });

/** What the API shows. A page of 30 is two batches: a death between them leaves it half written. */
const shown = (version: string, counts: { rows: number; events: number }) => ({
  rows: Array.from({ length: counts.rows }, (_, n) => ({ id: n + 1, version })),
  events: Array.from({ length: counts.events }, (_, n) => ({ event: n + 1, version })),
});
const old = shown("old", { rows: 38, events: 5 });
const now = shown("now", { rows: 35, events: 10 });

const config = (url: string) => ({
  client: { base_url: url },
  resource_defaults: {
    endpoint: {
      data_selector: "data",
      paginator: { type: "offset", limit: 30, total_path: "total" },
    },
  },
  resources: [
    { name: "rows", primary_key: "id", write_disposition: "replace" },
    { name: "events", write_disposition: "append" },
  ],
});

test(
  "a run that is killed at any call is completed by the next one (P1, P2, P4, P6)",
  { timeout: all ? 7_200_000 : 180_000 },
  async () => {
    const { sources, show, run, die, found } = await laptop();
    await sources(["counted"]);
    await run(["counted"]);
    show(now);
    const { calls } = await run(["counted"]);

    const every = Array.from({ length: calls }, (_, n) => n + 1);
    const once = [before(1), ...every.map(after), ...(all ? every.slice(1).map(before) : [])];
    const twice = all
      ? every.flatMap((first) => every.map((second) => [after(first), after(second)]))
      : every.filter((call) => call % 5 === 0).map((call) => [after(call), after(calls - call)]);
    const histories = [...once.map((kill) => [kill]), ...twice].map((kills, n) => ({
      name: `source${n}`,
      kills,
      text: kills.map(({ call, when }) => `killed ${when} call ${call}`).join(", then "),
    }));
    const names = histories.map(({ name }) => name);

    show(old);
    await sources(names);
    const first = await run(names);
    expect(first.code, first.said).toBe(0);
    show(now);
    const ends: Awaited<ReturnType<typeof die>>[] = [];
    const waiting = histories.entries();
    const lane = async () => {
      for (const [n, { name, kills }] of waiting) ends[n] = await die(name, kills);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    // One command for all of them: what is left of each run is its own.
    const last = await run(names);
    expect(last.code, last.said).toBe(0);

    for (const [n, { name, text }] of histories.entries()) {
      const { completed = 0 } = ends[n] ?? {};
      expect(await found(name, "rows"), text).toEqual(sorted(now.rows));
      const appended = Array.from({ length: completed + 1 }, () => now.events).flat();
      expect(await found(name, "events"), text).toEqual(sorted([...old.events, ...appended]));
    }
    const deaths = ends.reduce((sum, one) => sum + one.deaths, 0);
    expect(deaths).toBeGreaterThanOrEqual(calls);
    process.stdout.write(
      `${deaths} deaths in ${histories.length} histories of a run with ${calls} calls\n`,
    );
  },
);

/** An API, an engine on disk, and the command line between them. */
async function laptop() {
  let api = old;
  const { url } = await openApi((request, response) => {
    const data = request.path === "/rows" ? api.rows : api.events;
    return offsetPages(data, { total: true })(request, response);
  });
  const { folder, put, start } = await cliFolder();
  const engine = await openEmbeddedEngine(join(folder, ".tidetable"), { idleMs: 100 });
  const dynamodb = clientOf(engine.endpoint);
  onTestFinished(async () => {
    dynamodb.destroy();
    await engine.close();
  });

  /** Runs the sources, to the end or to its death. */
  async function run(names: string[], kill?: Kill) {
    let end = () => {};
    const proxy = await faultyDynamodb(engine.endpoint, ({ number }): Fault | undefined => {
      if (!kill || number < kill.call) return undefined;
      if (number === kill.call) return { kind: "death", when: kill.when, kill: () => end() };
      // What the dying process had sent besides.
      return { kind: "reset", when: "before" };
    });
    const files = names.map((name) => `${name}.json`);
    const { child, ended } = start(["run", ...files, "--dynamodb", proxy.endpoint, "--json"]);
    end = () => child.kill("SIGKILL");
    const { code, stdout, stderr } = await ended;
    await proxy.close();
    const said = stderr + stdout;
    return { code, said, calls: proxy.calls.length, killed: child.signalCode === "SIGKILL" };
  }

  /** One run after the other, each to its death; how many died, and how many had ended before. */
  async function die(name: string, kills: Kill[]) {
    const seeded = await lastEnded(name);
    const completed = new Set<string | null>();
    let deaths = 0;
    for (const kill of kills) {
      if ((await run([name], kill)).killed) deaths += 1;
      const ended = await lastEnded(name);
      if (ended !== seeded && ended !== undefined) completed.add(ended);
    }
    return { deaths, completed: completed.size };
  }

  /** The run that has appended all of its events, if the last one has: the next appends again. */
  async function lastEnded(source: string) {
    const world = { dynamodb, names: localNames, clock: realClock, random: Math.random };
    const state = await readState(world, { source, resource: "events" });
    return state?.status === "done" ? state.run_id : undefined;
  }

  return {
    run,
    die,
    sources: (names: string[]) =>
      Promise.all(names.map((name) => put(`${name}.json`, config(url)))),
    show(shown: typeof old) {
      api = shown;
    },
    async found(source: string, table: string) {
      const items = await scan(dynamodb, tableName(localNames, { source, table }));
      return sorted(
        items.map(({ id, event, version }) =>
          id
            ? { id: Number(id.S), version: version?.S }
            : { event: Number(event?.N), version: version?.S },
        ),
      );
    },
  };
}

const sorted = (list: object[]): string[] => list.map((one) => JSON.stringify(one)).sort();
