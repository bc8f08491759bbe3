import { DeleteItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import {
  appendFingerprints,
  readFingerprints,
} from "../../packages/core/src/load/fingerprint-log.ts";
import { fingerprintOf, isSeenIn } from "../../packages/core/src/load/fingerprints.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type FaultyDynamodb, openFaultyDynamodb } from "../support/faulty-dynamodb.ts";
import { textsOf } from "../support/items.ts";
import { testWorld } from "../support/world.ts";

let engine: Engine;
let state: string;
let proxies: [FaultyDynamodb, DynamoDBClient][] = [];
let places = 0;

beforeAll(async () => {
  engine = await startDynamodb();
  state = stateTableName(testWorld(engine).names);
  await engine.createTables({ [state]: stateTable });
});
afterAll(() => engine.close());
afterEach(async () => {
  for (const [proxy, client] of proxies) {
    client.destroy();
    await proxy.close();
  }
  proxies = [];
});

/** The log of another resource each time. */
function newLog() {
  places += 1;
  return { resourceRef: { source: "desk", resource: `tickets${places}` }, log: "run1", token: 1 };
}
const logWorld = () => testWorld(engine, { clock: virtualClock() });
const ticketFingerprint = (key: number, content = "") =>
  fingerprintOf({
    key: String(key),
    ...textsOf({ id: { S: String(key) }, content: { S: content } }),
  });
const ticketFingerprints = (from: number, to: number, content = "") =>
  Array.from({ length: to - from }, (_, n) => ticketFingerprint(from + n, content));
const blocksOf = async ({ resourceRef }: ReturnType<typeof newLog>) =>
  (await engine.scan(state)).filter(({ pk }) =>
    pk?.S?.startsWith(`${resourceRef.source}#${resourceRef.resource}/seen/`),
  );

describe("the fingerprint log", () => {
  it("the fingerprint log is read back as it was appended, page by page", async () => {
    const log = newLog();
    let end = await appendFingerprints(logWorld(), log, ticketFingerprints(0, 100), 0);
    end = await appendFingerprints(logWorld(), log, ticketFingerprints(100, 150), end);
    expect(end).toBe(2);
    const fingerprints = await readFingerprints(logWorld(), log, { start: 0, end });
    expect(fingerprints.size).toBe(150);
    expect(fingerprints.match(ticketFingerprint(149))).toBe("same");
    expect(fingerprints.match(ticketFingerprint(149, "changed"))).toBe("changed");
    expect([149, 150].map(String).map(isSeenIn(fingerprints))).toEqual([true, false]);
  });

  it("the fingerprint log has blocks below 100 KB, each under a partition key of its own, for 90 days", async () => {
    const log = newLog();
    expect(await appendFingerprints(logWorld(), log, ticketFingerprints(0, 12_001), 5)).toBe(8);
    const blocks = await blocksOf(log);
    expect(blocks.map(({ pk }) => pk?.S).sort()).toEqual(
      [5, 6, 7].map((n) => `desk#${log.resourceRef.resource}/seen/${n}`),
    );
    for (const { prints, sk, expires } of blocks) {
      expect(prints?.B?.length).toBeLessThanOrEqual(96_000);
      expect(sk?.S).toBe("keys");
      expect(Number(expires?.N)).toBe(Date.UTC(2026, 0, 91) / 1000);
    }
    expect((await readFingerprints(logWorld(), log, { start: 5, end: 8 })).size).toBe(12_001);
  });

  it("the fingerprint log has no block for a page without fingerprints, and is empty without blocks", async () => {
    const log = newLog();
    expect(await appendFingerprints(logWorld(), log, [], 3)).toBe(3);
    expect((await readFingerprints(logWorld(), log, { start: 3, end: 3 })).size).toBe(0);
  });

  it("a later block of the fingerprint log overrides an earlier one, in whatever order DynamoDB returns them", async () => {
    const log = newLog();
    let end = 0;
    for (let n = 0; n < 12; n++) {
      end = await appendFingerprints(logWorld(), log, [ticketFingerprint(1, `content ${n}`)], end);
    }
    const backwards = engineThat(async (answer) => {
      for (const rows of Object.values(answer.Responses ?? {})) rows.reverse();
      return answer;
    });
    for (const dynamodb of [engine.dynamodb, backwards]) {
      const fingerprints = await readFingerprints({ ...logWorld(), dynamodb }, log, {
        start: 0,
        end,
      });
      expect(fingerprints.size).toBe(1);
      expect(fingerprints.match(ticketFingerprint(1, "content 11"))).toBe("same");
    }
  });

  it("the fingerprint log may have more blocks than one request reads", async () => {
    const log = newLog();
    let end = 0;
    for (let n = 0; n < 203; n++)
      end = await appendFingerprints(logWorld(), log, [ticketFingerprint(n)], end);
    const fingerprints = await readFingerprints(logWorld(), log, { start: 0, end });
    expect(
      ticketFingerprints(0, 203).map((fingerprint) => fingerprints.match(fingerprint)),
    ).toEqual(Array(203).fill("same"));
  });

  it("the fingerprint log can be written anew from a table of fingerprints, which packs it", async () => {
    const log = newLog();
    let end = await appendFingerprints(logWorld(), log, ticketFingerprints(0, 100), 0);
    end = await appendFingerprints(logWorld(), log, ticketFingerprints(50, 150, "changed"), end);
    const before = await readFingerprints(logWorld(), log, { start: 0, end });
    const packed = { ...log, log: "run2" };
    const packedEnd = await appendFingerprints(logWorld(), packed, before, end);
    const fingerprints = await readFingerprints(logWorld(), packed, { start: end, end: packedEnd });
    expect([fingerprints.size, packedEnd - end]).toEqual([150, 1]);
    expect(fingerprints.match(ticketFingerprint(49))).toBe("same");
    expect(fingerprints.match(ticketFingerprint(50, "changed"))).toBe("same");
  });

  it.each([
    ["is gone", async (_: ReturnType<typeof newLog>, pk: string) => removeBlock(pk)],
    [
      "belongs to another log",
      (log: ReturnType<typeof newLog>) =>
        appendFingerprints(logWorld(), { ...log, log: "run0" }, ticketFingerprints(0, 10), 1),
    ],
  ])("the fingerprint log is not used when a block %s", async (_, spoil) => {
    const log = newLog();
    let end = 0;
    for (let n = 0; n < 3; n++)
      end = await appendFingerprints(logWorld(), log, [ticketFingerprint(n)], end);
    await spoil(log, `desk#${log.resourceRef.resource}/seen/1`);
    await expect(readFingerprints(logWorld(), log, { start: 0, end })).rejects.toMatchObject({
      code: "load.seen_missing",
      message: expect.stringContaining("only 2 of 3 blocks"),
    });
  });

  it("a worker that was overtaken cannot add to the fingerprint log, and its successor replaces the block", async () => {
    const log = newLog();
    await appendFingerprints(logWorld(), log, [ticketFingerprint(1, "first attempt")], 0);
    const successor = { ...log, token: 2 };
    await appendFingerprints(logWorld(), successor, [ticketFingerprint(1, "second attempt")], 0);
    await expect(
      appendFingerprints(logWorld(), log, [ticketFingerprint(1, "late")], 0),
    ).rejects.toMatchObject({
      code: "state.lease_lost",
    });
    const fingerprints = await readFingerprints(logWorld(), log, { start: 0, end: 1 });
    expect(fingerprints.match(ticketFingerprint(1, "second attempt"))).toBe("same");
  });

  it("the fingerprint log retries requests that were throttled or cut off, and gives up in the end", async () => {
    const log = newLog();
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ number }) => {
      if (number === 1) return { kind: "error", status: 400, type: "ThrottlingException" };
      return number === 2 ? { kind: "reset", when: "after" } : undefined;
    });
    expect(
      await appendFingerprints(
        { ...logWorld(), ...clientThrough(proxy) },
        log,
        [ticketFingerprint(1)],
        0,
      ),
    ).toBe(1);
    expect(proxy.calls).toHaveLength(3);
    expect((await readFingerprints(logWorld(), log, { start: 0, end: 1 })).size).toBe(1);

    const dead = await openFaultyDynamodb(engine.endpoint, () => ({
      kind: "reset",
      when: "before",
    }));
    const appending = appendFingerprints(
      { ...logWorld(), ...clientThrough(dead) },
      log,
      [ticketFingerprint(2)],
      1,
    );
    await expect(appending).rejects.toMatchObject({ code: "state.unavailable" });
  });
});

function clientThrough(proxy: FaultyDynamodb) {
  const dynamodb = clientOf(proxy.endpoint);
  proxies.push([proxy, dynamodb]);
  return { dynamodb };
}

type Answer = { Responses?: Record<string, unknown[]> };

/** The engine with changed answers, as DynamoDB might give them. */
const engineThat = (change: (answer: Answer) => Promise<Answer>): Pick<DynamoDBClient, "send"> => ({
  send: (async (command: Parameters<DynamoDBClient["send"]>[0]) =>
    change((await engine.dynamodb.send(command)) as Answer)) as DynamoDBClient["send"],
});

const removeBlock = (pk: string) =>
  engine.dynamodb.send(
    new DeleteItemCommand({ TableName: state, Key: { pk: { S: pk }, sk: { S: "keys" } } }),
  );
