import { BatchWriteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { stateTable, tableDefinition, zeroCounts } from "@tidetable/core/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../../packages/cli/src/cli.ts";
import { parseTarget } from "../../../packages/cli/src/sources/target.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";
import { runStateOf } from "../../support/run-state.ts";

const table = "tidetable-local-ticketing.tickets";
const key = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined } as const;

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

async function runCommand(...argv: string[]) {
  const out = { stdout: "", stderr: "" };
  const exit = await main([...argv, "--dynamodb", engine.endpoint], {
    stdout: { write: (text) => (out.stdout += text) },
    stderr: { write: (text) => (out.stderr += text) },
    env: {},
    cwd: process.cwd(),
    signal: new AbortController().signal,
  });
  return { exit, ...out };
}

it.each([
  ["ticketing", "ticketing", undefined],
  ["ticketing/tickets", "ticketing", "tickets"],
  ["./my/crm.json", "./my/crm.json", undefined],
  ["./my/crm.json/deals", "./my/crm.json", "deals"],
  ["/abs/crm.ts/deals", "/abs/crm.ts", "deals"],
])("the target %s means the source %s and the resource %s", (text, source, resource) => {
  expect(parseTarget(text)).toEqual({ source, resource });
});

describe("before the first run", () => {
  it("items ends with exit code 2 and the next step if the table does not exist", async () => {
    const { exit, stdout, stderr } = await runCommand("items", "ticketing/tickets");
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toMatch(/^ticketing\/tickets: the table \S+ does not exist; `tidetable run`/);
  });

  it("state reports a resource that has not run as new", async () => {
    const { exit, stdout } = await runCommand("state", "ticketing/tickets", "--json");
    expect(exit).toBe(0);
    expect(JSON.parse(stdout).resources).toEqual([
      expect.objectContaining({
        source: "ticketing",
        resource: "tickets",
        status: "new",
        lease: null,
      }),
    ]);
  });
});

describe("a wrong target", () => {
  it.each([
    [
      "ticketing",
      "ticketing: items are printed for one resource; name it, as in ticketing/tickets\n",
    ],
    [
      "ticketing/tikets",
      "ticketing/tikets: there is no resource of this name; did you mean tickets?\n",
    ],
  ])("items %s ends with exit code 2, because the target is wrong", async (target, message) => {
    expect(await runCommand("items", target)).toEqual({ exit: 2, stdout: "", stderr: message });
  });
});

describe("after a run", () => {
  beforeAll(async () => {
    await engine.createTables({
      [table]: tableDefinition({ key: { ...key, fields: ["id"] } }),
      "tidetable-local-state": stateTable,
    });
    // 60 items of 50 KB need several pages of a scan.
    const filler = "x".repeat(50_000);
    for (let start = 0; start < 60; start += 20) {
      const puts = Array.from({ length: 20 }, (_, i) => ({
        PutRequest: {
          Item: {
            id: { S: String(100 + start + i) },
            exact: { N: "1234567890123456789.25" },
            filler: { S: filler },
          },
        },
      }));
      await engine.dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }));
    }
  });

  it("items --json prints every item, one per line, in key order, with all digits", async () => {
    const { exit, stdout, stderr } = await runCommand("items", "ticketing/tickets", "--json");
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(
      Array.from({ length: 60 }, (_, i) => String(100 + i)),
    );
    expect(lines[0]).toMatch(/^\{"id":"100","exact":1234567890123456789\.25,"filler":/);
  });

  it("items --limit cuts after sorting, and the text names the total", async () => {
    const { stdout, stderr } = await runCommand("items", "ticketing/tickets", "--limit", "2");
    expect(stdout.split("\n").map((line) => line.slice(0, 4).trim())).toEqual([
      "id",
      "100",
      "101",
      "",
    ]);
    expect(stderr).toBe(`2 items of 60 in ${table}\n`);
  });

  it("state shows the checkpoint, the counts, the owner of the lease and what is asked for", async () => {
    const body = runStateOf({
      slices: 2,
      page: 3,
      next: { params: { limit: 100, offset: 300 } },
      counts: { ...zeroCounts(), pages: 3, records: 300, written: 300 },
      refresh: true,
      phase: "read",
      cursor: "2025-12-31",
      candidate: "2026-01-01",
    });
    const item = {
      pk: { S: "ticketing#tickets" },
      sk: { S: "state" },
      status: { S: "running" },
      run_id: { S: "r1" },
      token: { N: "4" },
      seq: { N: "9" },
      updated_at: { S: "2026-01-01T00:00:09.000Z" },
      lease_owner: { S: "local/host/1" },
      lease_until: { N: String(Date.parse("2026-01-01T00:00:50.000Z")) },
      body: { S: JSON.stringify(body) },
      wishes: { S: JSON.stringify([{ id: "weekly", refresh: true, serves: null }]) },
    };
    await engine.dynamodb.send(
      new PutItemCommand({ TableName: "tidetable-local-state", Item: item }),
    );

    const { stdout } = await runCommand("state", "ticketing", "--json");
    expect(JSON.parse(stdout).resources).toEqual([
      {
        source: "ticketing",
        resource: "tickets",
        table,
        status: "running",
        phase: "read",
        refresh: true,
        run_id: "r1",
        started_at: "2026-01-01T00:00:00.000Z",
        updated_at: "2026-01-01T00:00:09.000Z",
        not_before: null,
        cursor: "2025-12-31",
        candidate: "2026-01-01",
        served: null,
        next_start: null,
        wishes: [{ run_id: "weekly", refresh: true }],
        checkpoint: { page: 3, next: { params: { limit: 100, offset: 300 } } },
        slices: 2,
        counts: body.counts,
        lease: { owner: "local/host/1", until: "2026-01-01T00:00:50.000Z" },
        schema: null,
      },
    ]);
    const text = await runCommand("state", "ticketing");
    expect(text.stdout).toMatch(
      /tickets +running +read \(refresh\) +3 +300 +2025-12-31 +2026-01-01 .*local\/host\/1 until/,
    );
    expect(text.stdout).toContain(
      "ticketing/tickets: a full refresh is asked for (weekly): the next read that begins takes it\n",
    );
  });
});
