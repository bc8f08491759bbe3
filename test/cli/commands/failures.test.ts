import { beforeEach, describe, expect, it } from "vitest";
import { type LambdaStub, openLambdaStub } from "../../support/lambda-stub.ts";
import { openSqs, type Sqs } from "../../support/sqs.ts";
import { pointAws, runCommand } from "../../support/stage.ts";

/** Lambda's record of an event that was given up. */
const failureRecord = (
  requestPayload: object,
  { at = "2026-01-01T00:00:00.000Z", ...more } = {},
) => ({
  version: "1.0",
  timestamp: at,
  requestContext: {
    requestId: "e3b1",
    functionArn: "arn:aws:lambda:us-east-1:000000000000:function:tidetable-dev-worker:$LATEST",
    condition: "RetriesExhausted",
    approximateInvokeCount: 3,
  },
  requestPayload,
  responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
  responsePayload: {
    errorType: "RunError",
    errorMessage: "ticketing.tickets: GET /v1/tickets answered 403; check the secret",
    trace: [],
  },
  ...more,
});
const ticketsRecord = (run_id: string) => ({ source: "ticketing", resource: "tickets", run_id });
const comments = {
  source: "support",
  resource: "ticket_comments",
  run_id: "r7",
  full_refresh: true,
};

/** What is sent again: the run alone. */
const commentsRun = { source: "support", resource: "ticket_comments", run_id: "r7" };

let sqs: Sqs;
let lambda: LambdaStub;
beforeEach(async () => {
  sqs = await openSqs("tidetable-dev-failures", { repeats: 2 });
  lambda = await openLambdaStub({
    "tidetable-dev-worker-ticketing": () => null,
    "tidetable-dev-worker-support": () => null,
  });
  pointAws({ SQS: sqs.endpoint, LAMBDA: lambda.endpoint });
});

const runFailures = (...argv: string[]) => runCommand(["failures", ...argv, "--stage", "dev"]);
const redrive = async (...argv: string[]) => {
  const { exit, stdout } = await runFailures("redrive", ...argv, "--json");
  return { exit, document: JSON.parse(stdout) };
};

describe("failures list", () => {
  it("failures list prints each event once, the newest first, and leaves all of them in the queue", async () => {
    for (let n = 1; n <= 23; n++) {
      const at = new Date(Date.UTC(2026, 0, 1, n)).toISOString();
      sqs.send(failureRecord(ticketsRecord(`r${n}`), { at }));
    }
    const { exit, stdout } = await runFailures("list", "--json");
    expect(exit).toBe(0);
    const { entries } = JSON.parse(stdout);
    expect(entries.map(({ run_id }: { run_id: string }) => run_id)).toEqual(
      Array.from({ length: 23 }, (_, n) => `r${23 - n}`),
    );
    expect(entries[0]).toEqual({
      id: expect.any(String),
      at: "2026-01-01T23:00:00.000Z",
      source: "ticketing",
      resource: "tickets",
      run_id: "r23",
      attempts: 3,
      condition: "RetriesExhausted",
      message: "ticketing.tickets: GET /v1/tickets answered 403; check the secret",
    });
    expect(sqs.visible()).toHaveLength(23);
    expect(lambda.invoked).toEqual([]);
  });

  it("failures list prints a line for each message, and marks messages that are not Lambda's", async () => {
    sqs.send(failureRecord(ticketsRecord("r1")));
    const tooOld = { condition: "EventAgeExceeded", approximateInvokeCount: 0 };
    sqs.send(
      failureRecord(comments, {
        at: "2026-01-02T00:00:00.000Z",
        requestContext: tooOld,
        responsePayload: undefined,
      } as object),
    );
    const foreign = sqs.send("hello\u001b[31m");
    const { stdout } = await runFailures("list");
    expect(stdout).toMatch(/^source +resource +run +given up +attempts +error\n/);
    expect(stdout).toMatch(/^ticketing +tickets +r1 +\S+ +3 +ticketing\.tickets: GET .* 403/m);
    expect(stdout).toMatch(/^support +ticket_comments +r7 +\S+ +0 +it was too old before/m);
    expect(stdout).toContain(`no record of a failed worker: message ${foreign}`);
    expect(stdout).not.toContain("\u001b");
  });

  it("failures list reports an empty queue", async () => {
    expect((await runFailures("list")).stdout).toBe("the failure queue of stage dev is empty\n");
  });

  it("failures list names a missing queue as not deployed", async () => {
    const { exit, stderr } = await runCommand(["failures", "list", "--stage", "prod"]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(
      /^stage prod: there is no queue tidetable-prod-failures; deploy it: npx sst deploy/,
    );
  });
});

describe("failures redrive", () => {
  it("failures redrive asks each worker for its run again, and deletes the message from the queue", async () => {
    sqs.send(failureRecord(ticketsRecord("r1")));
    sqs.send(failureRecord(comments));
    const { exit, document } = await redrive();
    expect(exit).toBe(0);
    expect(document).toEqual({ status: "succeeded", redriven: 2, kept: 0, reasons: [] });
    expect(lambda.invoked).toEqual(
      expect.arrayContaining([
        { name: "tidetable-dev-worker-ticketing", type: "Event", event: ticketsRecord("r1") },
        { name: "tidetable-dev-worker-support", type: "Event", event: commentsRun },
      ]),
    );
    expect(lambda.invoked).toHaveLength(2);
    expect(sqs.all()).toEqual([]);
  });

  it("a message that anybody may have sent asks for a run, and for no refresh that deletes rows", async () => {
    const orders = { full_refresh: true, confirm: "ticketing", check: true, limit_pages: 1 };
    sqs.send(failureRecord({ ...ticketsRecord("r1"), ...orders, serves: [], spool_only: true }));
    await redrive();
    expect(lambda.invoked).toMatchObject([{ event: ticketsRecord("r1") }]);
    expect(Object.keys(lambda.invoked[0]?.event as object)).toEqual([
      "source",
      "resource",
      "run_id",
    ]);
  });

  it.each([
    "arn:aws:lambda:us-east-1:000000000000:function:tidetable-dev-worker-support:$LATEST",
    "arn:aws:lambda:us-east-1:000000000000:function:another-app-dev-worker-ticketing:$LATEST",
    undefined,
  ])("a message about a source whose worker did not fail is kept: %s", async (functionArn) => {
    const requestContext = { functionArn, condition: "RetriesExhausted" };
    sqs.send(failureRecord(ticketsRecord("r1"), { requestContext } as object));
    const { exit, document } = await redrive();
    expect(exit).toBe(1);
    expect(document.reasons).toMatchObject([{ code: "failures.foreign" }]);
    expect(lambda.invoked).toEqual([]);
    expect(sqs.all()).toHaveLength(1);
  });

  it.each([
    ["support"],
    ["support/ticket_comments"],
  ])("failures redrive %s sends only the events of that target", async (target) => {
    sqs.send(failureRecord(ticketsRecord("r1")));
    sqs.send(failureRecord(comments));
    const { document } = await redrive(target);
    expect(document).toEqual({ status: "succeeded", redriven: 1, kept: 0, reasons: [] });
    expect(lambda.invoked).toMatchObject([{ event: commentsRun }]);
    // The remaining event is visible at once.
    expect(sqs.visible()).toEqual([JSON.stringify(failureRecord(ticketsRecord("r1")))]);
  });

  it("failures redrive keeps and names messages that are not Lambda's, and events of removed resources", async () => {
    const bodies = [
      "hello",
      // EventBridge sends its undelivered events to the same queue.
      JSON.stringify({ source: "ticketing", time: "2026-01-01T00:00:00Z" }),
      JSON.stringify(failureRecord({ source: "crm", resource: "deals", run_id: "r1" })),
    ];
    const ids = bodies.map((body) => sqs.send(body));
    sqs.send(failureRecord(ticketsRecord("r1")));
    const { exit, document } = await redrive();
    expect(exit).toBe(1);
    expect(document).toMatchObject({ status: "partial", redriven: 1, kept: 3 });
    expect(document.reasons).toEqual(
      expect.arrayContaining([
        { id: ids[0], code: "failures.foreign", message: "no record of a failed worker" },
        { id: ids[1], code: "failures.foreign", message: "no record of a failed worker" },
        { id: ids[2], code: "failures.unknown", message: "there is no crm.deals any more" },
      ]),
    );
    expect(sqs.visible().sort()).toEqual([...bodies].sort());
  });

  it("failures redrive keeps an event in the queue if Lambda refuses it", async () => {
    lambda = await openLambdaStub({});
    pointAws({ SQS: sqs.endpoint, LAMBDA: lambda.endpoint });
    const id = sqs.send(failureRecord(ticketsRecord("r1")));
    const { exit, document } = await redrive();
    expect(exit).toBe(1);
    expect(document).toEqual({
      status: "failed",
      redriven: 0,
      kept: 1,
      reasons: [
        {
          id,
          code: "failures.refused",
          message: "Lambda did not take it: ResourceNotFoundException",
        },
      ],
    });
    expect(sqs.visible()).toHaveLength(1);
  });

  it("after Ctrl-C, failures redrive leaves the remaining events in the queue", async () => {
    sqs.send(failureRecord(ticketsRecord("r1")));
    const { exit, stdout } = await runCommand(["failures", "redrive", "--stage", "dev"], {
      signal: AbortSignal.abort(new Error("interrupted by SIGINT")),
    });
    expect(exit).toBe(1);
    expect(stdout).toMatch(
      /^0 events sent again, 1 kept\n {2}\S+ kept: the command was interrupted before its turn\n$/,
    );
    expect([lambda.invoked, sqs.visible().length]).toEqual([[], 1]);
  });
});

describe("without --stage", () => {
  it.each([
    ["list"],
    ["redrive"],
  ])("failures %s without --stage is a wrong command line", async (word) => {
    const { exit, stderr } = await runCommand(["failures", word]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^command line: required option '--stage <stage>' not specified;/);
  });
});
