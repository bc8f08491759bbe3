import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { localNames } from "../packages/cli/src/base/names.ts";
import { openEmbeddedEngine } from "../packages/cli/src/engine/embedded-engine.ts";
import { realClock } from "../packages/core/src/base/clock.ts";
import { tableName } from "../packages/core/src/base/names.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { openCliFolder } from "./support/cli.ts";
import { clientOf, scanTable } from "./support/dynamodb.ts";
import { type Fault, openFaultyDynamodb } from "./support/faulty-dynamodb.ts";

/*
 * The command line runs as a real process against the embedded engine on disk, and is killed with
 * SIGKILL at its calls to DynamoDB. Only a call changes stored data, so the deaths after each call
 * cover every state. TIDETABLE_KILLS=all adds the deaths before each call, and all pairs of deaths.
 */
const isNightly = process.env.TIDETABLE_KILLS === "all";
/** Commands at a time. A command that starts keeps a core busy. */
const AT_ONCE = 2;

interface Kill {
  /** Counted from 1. */
  call: number;
  when: "before" | "after";
}
const killBefore = (call: number): Kill => ({ call, when: "before" });
const killAfter = (call: number): Kill => ({ call, when: "after" });

/** The records of the API. A page of 30 is two batches: a death between them leaves it half written. */
const apiContent = (version: string, counts: { rows: number; events: number }) => ({
  rows: Array.from({ length: counts.rows }, (_, n) => ({ id: n + 1, version })),
  events: Array.from({ length: counts.events }, (_, n) => ({ event: n + 1, version })),
});
const oldContent = apiContent("old", { rows: 38, events: 5 });
const newContent = apiContent("now", { rows: 35, events: 10 });

const configOf = (url: string) => ({
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
  { timeout: isNightly ? 14_400_000 : 900_000 },
  async () => {
    const { sources, show, run, die: runToDeath, found: storedRows } = await openLaptop();
    await sources(["counted"]);
    await run(["counted"]);
    show(newContent);
    const { calls } = await run(["counted"]);

    const callNumbers = Array.from({ length: calls }, (_, n) => n + 1);
    const once = [
      killBefore(1),
      ...callNumbers.map(killAfter),
      ...(isNightly ? callNumbers.slice(1).map(killBefore) : []),
    ];
    const twice = isNightly
      ? callNumbers.flatMap((first) =>
          callNumbers.map((second) => [killAfter(first), killAfter(second)]),
        )
      : callNumbers
          .filter((call) => call % 5 === 0)
          .map((call) => [killAfter(call), killAfter(calls - call)]);
    const histories = [...once.map((kill) => [kill]), ...twice].map((kills, n) => ({
      name: `source${n}`,
      kills,
      text: kills.map(({ call, when }) => `killed ${when} call ${call}`).join(", then "),
    }));
    const names = histories.map(({ name }) => name);

    show(oldContent);
    await sources(names);
    const first = await run(names);
    expect(first.code, first.output).toBe(0);
    show(newContent);
    const outcomes: Awaited<ReturnType<typeof runToDeath>>[] = [];
    const pendingHistories = histories.entries();
    const takeHistories = async () => {
      for (const [n, { name, kills }] of pendingHistories)
        outcomes[n] = await runToDeath(name, kills);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, takeHistories));
    // One command completes all histories; each has a source of its own.
    const last = await run(names);
    expect(last.code, last.output).toBe(0);

    for (const [n, { name, text }] of histories.entries()) {
      const { completed = 0 } = outcomes[n] ?? {};
      expect(await storedRows(name, "rows"), text).toEqual(sortedJson(newContent.rows));
      const appended = Array.from({ length: completed + 1 }, () => newContent.events).flat();
      expect(await storedRows(name, "events"), text).toEqual(
        sortedJson([...oldContent.events, ...appended]),
      );
    }
    const deaths = outcomes.reduce((sum, { deaths }) => sum + deaths, 0);
    expect(deaths).toBeGreaterThanOrEqual(calls);
    process.stdout.write(
      `${deaths} deaths in ${histories.length} histories of a run with ${calls} calls\n`,
    );
  },
);

/** Opens an API and an engine on disk, with the command line between them. */
async function openLaptop() {
  let api = oldContent;
  const { url } = await openApi((request, response) => {
    const data = request.path === "/rows" ? api.rows : api.events;
    return offsetPages(data, { total: true })(request, response);
  });
  const { folder, put, start } = await openCliFolder();
  const engine = await openEmbeddedEngine(join(folder, ".tidetable"), { idleMs: 100 });
  // A path with the engine's key stands for requests that are signed with it.
  const address = `${engine.endpoint}/${engine.key}`;
  const dynamodb = clientOf(address);
  onTestFinished(async () => {
    dynamodb.destroy();
    await engine.close();
  });

  /** Runs the sources, to the end or to the death of the process. */
  async function run(names: string[], kill?: Kill) {
    let end = () => {};
    const proxy = await openFaultyDynamodb(address, ({ number }): Fault | undefined => {
      if (!kill || number < kill.call) return undefined;
      if (number === kill.call) return { kind: "death", when: kill.when, kill: () => end() };
      // Requests that the dying process had sent at the same time.
      return { kind: "reset", when: "before" };
    });
    const files = names.map((name) => `${name}.json`);
    const { child, ended } = start(["run", ...files, "--dynamodb", proxy.endpoint, "--json"]);
    end = () => child.kill("SIGKILL");
    const { code, stdout, stderr } = await ended;
    await proxy.close();
    const said = stderr + stdout;
    return {
      code,
      output: said,
      calls: proxy.calls.length,
      killed: child.signalCode === "SIGKILL",
    };
  }

  /** Starts one run for each kill, and counts the deaths and the runs that had ended before. */
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

  /** The id of the last run that has appended all of its events; the next run appends them again. */
  async function lastEnded(source: string) {
    const world = { dynamodb, names: localNames, clock: realClock, random: Math.random };
    const state = await readState(world, { source, resource: "events" });
    return state?.status === "done" ? state.run_id : undefined;
  }

  return {
    run,
    die,
    sources: (names: string[]) =>
      Promise.all(names.map((name) => put(`${name}.json`, configOf(url)))),
    show(content: typeof oldContent) {
      api = content;
    },
    async found(source: string, table: string) {
      const items = await scanTable(dynamodb, tableName(localNames, { source, table }));
      return sortedJson(
        items.map(({ id, event, version }) =>
          id
            ? { id: Number(id.S), version: version?.S }
            : { event: Number(event?.N), version: version?.S },
        ),
      );
    },
  };
}

const sortedJson = (list: object[]): string[] => list.map((row) => JSON.stringify(row)).sort();
