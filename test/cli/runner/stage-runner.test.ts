import { DescribeTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { tableName } from "@tidetable/core/plan";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Handler, offsetPages, openApi } from "../../support/api.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";
import { openFaultyDynamodb } from "../../support/faulty-dynamodb.ts";
import { deployStage, runCommand } from "../../support/stage.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const rows = Array.from({ length: 250 }, (_, n) => ({ id: `t${n}`, n }));
const canary = "canary-9f3a77";

/** Deploys a stage with ticketing. */
async function deployTicketing(
  handler: Handler = offsetPages(rows),
  more: Partial<Parameters<typeof deployStage>[1]> = {},
) {
  const { url, requests } = await openApi(handler);
  const stage = await deployStage(engine, {
    api: url,
    secrets: { ticketing: JSON.stringify({ api_key: canary }) },
    ...more,
  });
  const table = tableName(stage.names, { source: "ticketing", table: "tickets" });
  const call = async (...argv: string[]) => {
    const ended = await runCommand([...argv, "--stage", stage.stage]);
    expect(ended.stdout + ended.stderr).not.toContain(canary);
    return ended;
  };
  return { ...stage, table, requests, call };
}

describe("run --stage", () => {
  it("run --stage starts the deployed schedule function, follows its run and prints the usual document", async () => {
    const { call, table, lambda, names } = await deployTicketing();
    const { exit, stdout, stderr } = await call("run", "ticketing", "--json");
    expect(exit).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      status: "succeeded",
      resources: [
        { source: "ticketing", resource: "tickets", table, status: "succeeded", records: 250 },
      ],
    });
    expect(await engine.scan(table)).toHaveLength(250);
    expect(lambda.invoked).toEqual([
      {
        name: `tidetable-${names.stage}-schedule`,
        type: "RequestResponse",
        event: { source: "ticketing", time: document.run_id },
      },
    ]);
    expect(stderr).toMatch(/^ticketing\.tickets: done, 250 records in 4 pages/m);
  });

  it("run --stage --limit-pages reports the workers' answers and leaves no run", async () => {
    const { call, table } = await deployTicketing();
    const { exit, stdout } = await call("run", "ticketing", "--limit-pages", "1", "--json");
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      limited: true,
      resources: [{ status: "succeeded", pages: 1, records: 100 }],
    });
    expect(await engine.scan(table)).toHaveLength(100);
    expect(
      JSON.parse((await call("status", "--json", "ticketing")).stdout).resources,
    ).toMatchObject([{ status: "new", runs: [] }]);
  });

  it("Ctrl-C ends the following of run --stage, and the run continues in AWS", async () => {
    let go = () => {};
    const held = new Promise<void>((done) => {
      go = done;
    });
    const desk = await deployTicketing(async (request, response) => {
      if (request.query.get("offset") !== "0") await held;
      return offsetPages(rows)(request, response);
    });
    const stop = new AbortController();
    const running = runCommand(["run", "ticketing", "--json", "--stage", desk.stage], {
      signal: stop.signal,
    });
    await expect.poll(() => desk.requests.length, { timeout: 9000 }).toBe(2);
    stop.abort(new Error("interrupted by SIGINT"));
    const { exit, stdout } = await running;
    expect(exit).toBe(1);
    expect(JSON.parse(stdout).resources).toMatchObject([
      {
        status: "failed",
        error: {
          code: "run.interrupted",
          message: "nobody follows the run any more; it goes on in AWS",
          hint: `npx --no tidetable status --stage ${desk.stage} shows how it ends`,
        },
      },
    ]);
    go();
    await expect.poll(() => engine.scan(desk.table), { timeout: 9000 }).toHaveLength(250);
  });

  it("run --stage refuses a source from a file, and says how to deploy it", async () => {
    const { call, lambda, stage } = await deployTicketing();
    const { exit, stderr } = await call("run", "./crm.ts");
    expect(exit).toBe(2);
    expect(stderr).toBe(
      `./crm.ts: a stage has the registered sources, and no files; register it (\`npx --no tidetable add ./crm.ts\` does), then: npx sst deploy --stage ${stage}\n`,
    );
    expect(lambda.invoked).toEqual([]);
  });
});

describe("check --stage", () => {
  it("check --stage asks each worker for one page", async () => {
    const { call, lambda, table } = await deployTicketing();
    const { exit, stdout } = await call("check", "ticketing", "--json");
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      status: "succeeded",
      resources: [
        {
          source: "ticketing",
          resource: "tickets",
          status: "succeeded",
          requests: 1,
          records: 100,
          quarantined: 0,
          error: null,
        },
      ],
    });
    expect(lambda.invoked).toMatchObject([
      {
        type: "RequestResponse",
        event: { source: "ticketing", resource: "tickets", check: true },
      },
    ]);
    expect(await engine.scan(table)).toEqual([]);
  });

  it("check --stage reports a worker's failure as its resource's", async () => {
    const { call } = await deployTicketing(() => ({ status: 403 }));
    const { exit, stdout } = await call("check", "ticketing", "--json");
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      status: "failed",
      resources: [{ status: "failed", error: { code: "extract.status" } }],
    });
    expect(JSON.parse(stdout).resources[0].error.message).toMatch(
      /^GET \/v1\/tickets answered 403/,
    );
  });

  it.each([
    [
      undefined,
      /^ticketing: the secret tidetable\/\S+ has no value yet; run: tidetable secrets set/,
    ],
    ["{}", /^ticketing: in the secret tidetable\/\S+, "api_key" is missing; run: tidetable/],
    [`{"api_key": ["${canary}"]}`, /"api_key" is not a string; run: tidetable secrets set/],
    [canary, /is not a JSON object/],
  ])("check --stage names a secret with the value %j before it asks a worker", async (secret, line) => {
    const { call, requests, lambda } = await deployTicketing(undefined, {
      secrets: { ticketing: secret },
    });
    const { exit, stderr } = await call("check", "ticketing");
    expect(exit).toBe(2);
    expect(stderr).toMatch(line);
    expect([requests, lambda.invoked]).toEqual([[], []]);
  });

  it("check --stage leaves a secret that the person may not read to the worker", async () => {
    const { call } = await deployTicketing(undefined, { deny: ["GetSecretValue"] });
    const { exit, stderr } = await call("check", "ticketing");
    expect(exit).toBe(0);
    expect(stderr).toMatch(
      /^warning: the secret tidetable\/\S+ could not be read \(AccessDeniedException\), and so only its worker can tell/,
    );
  });

  it("check --stage names everything that is not deployed at once", async () => {
    const { call, stage } = await deployTicketing(undefined, { change: () => ({}) });
    const { exit, stdout } = await call("check", "ticketing", "support", "--json");
    expect(exit).toBe(2);
    const { status, problems } = JSON.parse(stdout);
    expect(status).toBe("invalid");
    expect(problems.map(({ message }: { message: string }) => message)).toEqual([
      `the secret tidetable/${stage}/support has no value yet`,
      `the table tidetable-${stage}-support.support_tickets does not exist`,
      `the table tidetable-${stage}-support.ticket_comments does not exist`,
      `there is no function tidetable-${stage}-schedule`,
      `there is no function tidetable-${stage}-worker-ticketing`,
      `there is no function tidetable-${stage}-worker-support`,
    ]);
    expect(problems.at(-1).hint).toMatch(
      new RegExp(`^deploy it: npx sst deploy --stage ${stage};`),
    );
  });

  it("check --stage names a table with a different key", async () => {
    const { call, names } = await deployTicketing();
    await engine.createTables({
      [`tidetable-${names.stage}-support.support_tickets`]: {
        KeySchema: [{ AttributeName: "other", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "other", AttributeType: "S" }],
      },
    });
    const { exit, stderr } = await call("check", "support");
    expect(exit).toBe(2);
    expect(stderr).toMatch(
      /^support\.support_tickets: the table \S+ has the key other \(S\), and the config asks for id \(S\);/m,
    );
  });
});

describe("what is stored in a stage", () => {
  it("items --stage prints items in scan order and reads no more than the limit", async () => {
    const { call, table } = await deployTicketing();
    await call("run", "ticketing");
    const unlimited = await call("items", "ticketing/tickets", "--json");
    const lines = unlimited.stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(250);
    expect(lines).toEqual(
      (await engine.scan(table)).map((item) => `{"id":"${item.id?.S}","n":${item.n?.N}}`),
    );
    const few = await call("items", "ticketing/tickets", "--limit", "3");
    expect(few.stdout.trimEnd().split("\n")).toEqual(lines.slice(0, 3));
    expect(few.stderr).toBe(`3 items of ${table}, in the order of a scan\n`);
  });

  it("state and status --stage print the stage's state", async () => {
    const { call, table } = await deployTicketing();
    await call("run", "ticketing");
    const state = JSON.parse((await call("state", "ticketing", "--json")).stdout);
    expect(state.resources).toMatchObject([{ table, status: "done" }]);
    const status = JSON.parse((await call("status", "ticketing", "--json")).stdout);
    expect(status.resources).toMatchObject([{ table, runs: [{ status: "done", records: 250 }] }]);
  });

  it.each([
    ["0.1.0", "0.1.0", ""],
    ["0.0.9", "0.0.9", "; install 0.0.9 here, or deploy: npx sst deploy --stage "],
    [undefined, "a version that it does not tell", ""],
  ])("status --stage tells the deployed version %s beside its own", async (deployed, said, hint) => {
    const { call, stage } = await deployTicketing(undefined, deployed ? { deployed } : {});
    const document = JSON.parse((await call("status", "ticketing", "--json")).stdout);
    expect(document).toMatchObject({ deployed_version: deployed ?? null, version: "0.1.0" });
    const { stdout } = await call("status", "ticketing");
    const line = `stage ${stage} runs tidetable ${said}, and this command is 0.1.0`;
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(`${line}${hint && hint + stage}`);
  });

  it("quarantine --stage lists and replays the stage's records", async () => {
    const { call, table, names } = await deployTicketing(
      offsetPages([{ id: "1" }, { title: "no id" }]),
    );
    await call("run", "ticketing");
    const listed = JSON.parse((await call("quarantine", "list", "--json", "ticketing")).stdout);
    expect(listed.entries).toMatchObject([{ code: "record.key_missing" }]);
    const replayed = await call("quarantine", "replay", "ticketing/tickets", "--json");
    expect(JSON.parse(replayed.stdout)).toMatchObject({ status: "partial", kept: 1 });
    // The record can be stored by now.
    const [entry] = (await engine.scan(`tidetable-${names.stage}-state`)).filter(({ sk }) =>
      sk?.S?.startsWith("quarantine#"),
    );
    await engine.dynamodb.send(
      new PutItemCommand({
        TableName: `tidetable-${names.stage}-state`,
        Item: { ...entry, record: { S: '{"id":"2"}' } },
      }),
    );
    expect((await call("quarantine", "replay", "ticketing/tickets")).exit).toBe(0);
    expect((await engine.scan(table)).map(({ id }) => id?.S).sort()).toEqual(["1", "2"]);
  });
});

describe("reset --stage", () => {
  it("reset --stage asks with the name of the stage", async () => {
    const { stage } = await deployTicketing();
    let question = "";
    const { exit, stdout } = await runCommand(
      ["reset", "ticketing", "--tables", "--stage", stage],
      {
        ask: async (text) => {
          question = text;
          return "";
        },
      },
    );
    expect(question).toBe(
      `Forget the cursors, open runs and ALL ITEMS of ticketing.tickets in stage ${stage}? [y/N] `,
    );
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: "nothing was forgotten\n" });
  });

  it("reset --stage --tables empties a table and keeps it, because the deployment owns it", async () => {
    const { call, table } = await deployTicketing();
    await call("run", "ticketing");
    const id = async () => {
      const { Table } = await engine.dynamodb.send(new DescribeTableCommand({ TableName: table }));
      return Table?.TableId;
    };
    const before = await id();
    const { exit, stdout } = await call("reset", "ticketing", "--tables", "--yes", "--json");
    expect(exit).toBe(0);
    expect(JSON.parse(stdout).resources).toMatchObject([{ table, items_deleted: true }]);
    expect(await engine.scan(table)).toEqual([]);
    expect(await id()).toBe(before);
    const state = JSON.parse((await call("state", "ticketing", "--json")).stdout);
    expect(state.resources).toMatchObject([{ status: "new", cursor: null }]);
  });

  it("reset --stage --tables forgets runs that took place while the table was emptied", async () => {
    const desk = await deployTicketing();
    await desk.call("run", "ticketing");
    let ran: Promise<unknown> | undefined;
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ operation }) => {
      if (operation !== "BatchWriteItem" || ran) return undefined;
      ran = desk.work({ source: "ticketing", resource: "tickets", run_id: "meanwhile" });
      return { kind: "hold", until: ran };
    });
    onTestFinished(proxy.close);
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint);
    const { exit } = await desk.call("reset", "ticketing", "--tables", "--yes");
    expect(exit).toBe(0);
    expect(await ran).toMatchObject({ status: "done", records: 250 });
    const state = JSON.parse((await desk.call("state", "ticketing", "--json")).stdout);
    expect(state.resources).toMatchObject([{ status: "new", cursor: null }]);
  });

  it("reset --stage --tables repeats the deletes that DynamoDB did not process", async () => {
    const { call, table } = await deployTicketing();
    await call("run", "ticketing");
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ operation, number }) =>
      operation === "BatchWriteItem" && number % 2 === 0
        ? { kind: "unprocessed", count: 7 }
        : undefined,
    );
    onTestFinished(proxy.close);
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint);
    expect((await call("reset", "ticketing", "--tables", "--yes")).exit).toBe(0);
    expect(await engine.scan(table)).toEqual([]);
  });

  it("reset --stage --tables reports a forbidden delete as its resource's failure", async () => {
    const { call } = await deployTicketing();
    await call("run", "ticketing");
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ operation }) =>
      operation === "BatchWriteItem"
        ? { kind: "error", status: 400, type: "AccessDeniedException" }
        : undefined,
    );
    onTestFinished(proxy.close);
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint);
    const { exit, stdout } = await call("reset", "ticketing", "--tables", "--yes", "--json");
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      status: "failed",
      resources: [{ status: "failed", items_deleted: false, error: { code: "aws.denied" } }],
    });
  });
});
