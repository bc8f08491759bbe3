import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { World } from "../../packages/core/src/base/world.ts";
import type { ResourceConfig } from "../../packages/core/src/config/types.ts";
import { readState } from "../../packages/core/src/state/state-item.ts";
import type { JsonObject } from "../../packages/core/src/values/json.ts";
import { type Api, offsetPages, openApi } from "../support/api.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { engines } from "../support/engines.ts";
import { openFaultyDynamodb } from "../support/faulty-dynamodb.ts";
import { deploySource, testWorld } from "../support/world.ts";

/*
 * The same runs on every engine of this machine. A mistake that only one engine accepts is found.
 */
for (const { name, launch, missing } of engines) {
  if (missing) process.stdout.write(`skipped on ${name}: ${missing}\n`);
  describe.skipIf(missing)(`on ${name}`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await startDynamodb(launch);
    });
    afterAll(() => engine.close());

    const worldWith = (changes?: Partial<World>) => testWorld(engine, changes);
    const deployRows = (api: Api, resource: Partial<ResourceConfig> = {}) =>
      deploySource(engine, {
        client: { base_url: api.url },
        resources: [
          {
            name: "rows",
            primary_key: "id",
            write_disposition: "merge",
            endpoint: {
              path: "/rows",
              data_selector: "data",
              paginator: { type: "offset", limit: 100 },
            },
            ...resource,
          },
        ],
      });

    it("a repeated run merges: changed rows change, and no row is doubled (P1)", async () => {
      const data = makeRows(250);
      const { run, table } = await deployRows(await openApi(offsetPages(data)));
      expect(await run(worldWith())).toMatchObject({ status: "done", records: 250, written: 250 });
      Object.assign(data[41] as object, { title: "changed" });
      data.push({ id: 251, title: "new" });
      expect(await run(worldWith())).toMatchObject({ status: "done", records: 251 });
      const items = await engine.scan(table);
      expect(items).toHaveLength(251);
      expect(items.find(({ id }) => id?.S === "42")).toEqual({
        id: { S: "42" },
        title: { S: "changed" },
      });
    });

    it("a run appends its records once, also when a page is replayed (P1)", async () => {
      const { run, table } = await deployRows(await openApi(offsetPages(makeRows(30))), append);
      await run(worldWith({ dynamodb: await clientLosingAnswers(engine) }));
      expect(await engine.scan(table)).toHaveLength(30);
      await run(worldWith());
      expect(await engine.scan(table)).toHaveLength(60);
    });

    it("a value of every type is stored exactly (P9)", async () => {
      const api = await openApi([
        { headers: json, body: `{"data":[${everyType}]}` },
        { body: { data: [] } },
      ]);
      const { run, table } = await deployRows(api);
      expect(await run(worldWith())).toMatchObject({ status: "done", written: 1 });
      const [item] = await engine.scan(table);
      expect(item).toMatchObject({
        big: { N: "12345678901234567890123456789012345678" },
        text: { S: "\0 ä 𝄞" },
        empty: { S: "" },
        none: { NULL: true },
        yes: { BOOL: true },
        list: { L: [{ N: "1" }, { S: "a" }, { L: [] }, { M: {} }] },
        map: { M: { "a b": { N: "0" } } },
      });
      expect([Number(item?.small?.N), Number(item?.huge?.N)]).toEqual([1e-130, 9.9e125]);
    });

    it("records that DynamoDB cannot hold are set aside with a reason each, and the others are stored (P8)", async () => {
      const api = await openApi(() => ({ headers: json, body: `{"data":[${unstorable}]}` }));
      const single = { endpoint: { path: "/rows", data_selector: "data" } };
      const { run, table, state, resourceRef } = await deployRows(api, single);
      const good = 5;
      const bad = Object.keys(reasons).length;
      expect(await run(worldWith())).toMatchObject({
        status: "done",
        records: good + bad,
        written: good,
        quarantined: bad,
      });
      expect(await engine.scan(table)).toHaveLength(good);
      const aside = (await engine.scan(state)).filter(
        ({ pk, sk }) => pk?.S === `${resourceRef.source}#rows` && sk?.S?.startsWith("quarantine#"),
      );
      expect(aside.map(({ code }) => code?.S).sort()).toEqual(Object.values(reasons).sort());
      for (const { message, record } of aside) expect([message?.S, record?.S]).not.toContain("");
    });

    it("a record with a field under the name of a generated key is set aside (P9)", async () => {
      const data: JsonObject[] = [{ id: 1, _row_id: "mine" }, { id: 2 }];
      const { run } = await deployRows(await openApi(offsetPages(data)), append);
      expect(await run(worldWith())).toMatchObject({ status: "done", written: 1, quarantined: 1 });
    });

    it.each<[string, Partial<ResourceConfig>, Record<string, unknown>]>([
      ["N", { primary_key: "n", columns: { n: { data_type: "bigint" } } }, { n: { N: "7" } }],
      [
        "B",
        { primary_key: "b", columns: { b: { data_type: "binary" } } },
        { b: { B: Uint8Array.from([0, 255]) } },
      ],
      [
        "S and N",
        { primary_key: ["s", "n"], columns: { n: { data_type: "bigint" } } },
        { s: { S: "7" }, n: { N: "7" } },
      ],
      [
        "N and B",
        {
          primary_key: ["n", "b"],
          columns: { n: { data_type: "decimal" }, b: { data_type: "binary" } },
        },
        { n: { N: "7" }, b: { B: Uint8Array.from([0, 255]) } },
      ],
      [
        "three fields",
        { primary_key: ["s", "n", "b"] },
        { s: { S: "7" }, n: { N: "7" }, b: { S: "AP8=" }, _key: { S: '["7","AP8="]' } },
      ],
    ])("a key of type %s distinguishes rows and finds them again (P1)", async (_, key, expected) => {
      const changedRow = { s: 7, n: 7, b: "AP8=", title: "one" };
      const data = [changedRow, { s: 8, n: 8, b: "AAAA", title: "other" }];
      const { run, table } = await deployRows(await openApi(offsetPages(data)), key);
      await run(worldWith());
      changedRow.title = "again";
      expect(await run(worldWith())).toMatchObject({ status: "done", written: 1, unchanged: 1 });
      const items = await engine.scan(table);
      expect(items).toHaveLength(2);
      expect(items.find(({ title }) => title?.S === "again")).toMatchObject(expected);
    });

    it("one of many workers that start at once works, and the others are skipped (P5, P7)", async () => {
      const api = await openApi(offsetPages(makeRows(250)));
      const { run, table, resourceRef } = await deployRows(api);
      const reports = await Promise.all(Array.from({ length: 8 }, () => run(worldWith())));
      const done = reports.filter(({ status }) => status === "done");
      const skipped = reports.filter(({ status }) => status === "skipped");
      expect([done.length, skipped.length]).toEqual([1, 7]);
      expect(skipped.map(({ error }) => error?.code)).toEqual(Array(7).fill("state.lease_held"));
      expect(api.requests).toHaveLength(4);
      expect(await engine.scan(table)).toHaveLength(250);
      expect(await readState(worldWith(), resourceRef)).toMatchObject({
        status: "done",
        lease: null,
      });
    });

    it("a run that loses every second answer ends as if it had lost none (P1, P5, P8)", async () => {
      const { run, table, resourceRef } = await deployRows(
        await openApi(offsetPages(makeRows(250))),
      );
      expect(await run(worldWith({ dynamodb: await clientLosingAnswers(engine) }))).toMatchObject({
        status: "done",
        records: 250,
        written: 250,
        superseded: 0,
        slices: 1,
      });
      expect(await engine.scan(table)).toHaveLength(250);
      expect(await readState(worldWith(), resourceRef)).toMatchObject({
        status: "done",
        lease: null,
      });
    });

    it("an ordered table keeps the newest version, whatever version comes later (P5)", async () => {
      const data = [
        { id: 1, v: 2 },
        { id: 2, v: 2 },
      ];
      const { run, table } = await deployRows(await openApi(offsetPages(data)), {
        write_mode: "ordered",
        version_field: "v",
        columns: { v: { data_type: "bigint" } },
      });
      expect(await run(worldWith())).toMatchObject({ status: "done", written: 2 });
      Object.assign(data[0] as object, { v: 1 });
      Object.assign(data[1] as object, { v: 10 });
      expect(await run(worldWith())).toMatchObject({ status: "done", written: 1, superseded: 1 });
      const versions = (await engine.scan(table)).map(({ id, v }) => [id?.S, v?.N]);
      expect(versions.sort()).toEqual([
        ["1", "2"],
        ["2", "10"],
      ]);
    });

    it("a refresh removes the rows that the API no longer shows, and no others (P4)", async () => {
      const data = makeRows(120);
      const replace = { write_disposition: "replace" as const };
      const { run, table } = await deployRows(await openApi(offsetPages(data)), replace);
      const storedIds = async () =>
        (await engine.scan(table)).map(({ id }) => Number(id?.S)).sort((a, b) => a - b);
      expect(await run(worldWith())).toMatchObject({ status: "done", written: 120, deleted: 0 });
      data.splice(10, 20);
      expect(await run(worldWith())).toMatchObject({ status: "done", unchanged: 100, deleted: 20 });
      expect(await storedIds()).toEqual(data.map(({ id }) => id));
      data.splice(10, 20);
      expect(await run(worldWith({ dynamodb: await clientLosingAnswers(engine) }))).toMatchObject({
        status: "done",
        unchanged: 80,
      });
      expect(await storedIds()).toEqual(data.map(({ id }) => id));
    });
  });
}

const makeRows = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, title: `row ${n + 1}` }));

const append: Partial<ResourceConfig> = { primary_key: null, write_disposition: "append" };
const json = { "content-type": "application/json" };

/** Opens a client that loses every second answer after the request has been done. */
async function clientLosingAnswers(engine: Engine) {
  const proxy = await openFaultyDynamodb(engine.endpoint, ({ number }) =>
    number % 2 === 0 ? { kind: "reset", when: "after" } : undefined,
  );
  const client = clientOf(proxy.endpoint);
  onTestFinished(async () => {
    client.destroy();
    await proxy.close();
  });
  return client;
}

/** The record is JSON, because JavaScript cannot hold some of its numbers. */
const everyType = `{
  "id": 1,
  "big": 12345678901234567890123456789012345678,
  "small": 1e-130,
  "huge": 9.9e125,
  "text": "\\u0000 ä 𝄞",
  "empty": "",
  "none": null,
  "yes": true,
  "list": [1, "a", [], {}],
  "map": { "a b": 0 }
}`;

const nestedJson = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

/** Records as JSON, and the code with which each is set aside. */
const reasons: Record<string, string> = {
  '"text"': "record.not_object",
  '{"title":"no id"}': "record.key_missing",
  '{"id":null}': "record.key_missing",
  '{"id":""}': "record.key_empty",
  '{"id":true}': "record.key_type",
  [`{"id":"${"k".repeat(2049)}"}`]: "record.key_too_long",
  '{"id":"digits","n":123456789012345678901234567890123456789}': "record.number",
  '{"id":"range","n":1e126}': "record.number",
  '{"id":"name","":1}': "record.name",
  [`{"id":"long name","${"n".repeat(65_536)}":1}`]: "record.name",
  [`{"id":"deep","a":${nestedJson(32)}}`]: "record.depth",
  '{"id":"half","text":"\\ud83d"}': "record.text",
  [`{"id":"large","text":"${"x".repeat(400 * 1024)}"}`]: "record.too_large",
};

const unstorable = [
  ...Object.keys(reasons),
  // Records that just fit stand between the others.
  `{"id":"${"k".repeat(2048)}"}`,
  '{"id":"fits","n":12345678901234567890123456789012345678}',
  '{"id":"fits too","n":9.9999999999999999999999999999999999999e125}',
  `{"id":"fits as well","a":${nestedJson(31)}}`,
  `{"id":"full","text":"${"x".repeat(400 * 1024 - 10)}"}`,
].join();
