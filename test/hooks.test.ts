import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EndpointConfig } from "../packages/core/src/config/endpoint-types.ts";
import type { ResourceConfig } from "../packages/core/src/config/types.ts";
import { openApi, type Reply } from "./support/api.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploy, testWorld } from "./support/world.ts";

// The config's own functions: over records, and over answers.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

/** A run over an API that gives these answers in turn. */
async function run(
  answers: Reply[],
  {
    endpoint = {},
    ...more
  }: Omit<Partial<ResourceConfig>, "endpoint"> & {
    endpoint?: EndpointConfig;
  } = {},
) {
  const api = await openApi(answers);
  const source = await deploy(engine, {
    client: { base_url: api.url },
    resources: [
      {
        name: "rows",
        primary_key: "id",
        ...more,
        endpoint: {
          data_selector: "data",
          paginator: { type: "offset", limit: 2 },
          error_handler: { backoff_factor: 0.01 },
          ...endpoint,
        },
      },
    ],
  });
  const report = await source.run(testWorld(engine));
  return { report, api, rows: await engine.scan(source.table) };
}

const page = (...ids: number[]): Reply => ({ body: { data: ids.map((id) => ({ id, n: id })) } });

describe("processing_steps", () => {
  it("filter, map and yield_map records in order, before anything counts them", async () => {
    const { report, rows } = await run([page(1, 2), page(3, 4), page()], {
      processing_steps: [
        { filter: ({ id }) => id !== 2 },
        { map: (record) => ({ ...record, n: Number(record.n) * 10 }) },
        {
          yield_map: function* (record) {
            yield record;
            yield { ...record, id: `${record.id}b` };
          },
        },
      ],
    });
    expect(report).toMatchObject({ status: "done", records: 6, written: 6, pages: 3 });
    expect(rows.map(({ id, n }) => `${id?.S}:${n?.N}`).sort()).toEqual([
      "1:10",
      "1b:10",
      "3:30",
      "3b:30",
      "4:40",
      "4b:40",
    ]);
  });

  it("leave paging alone: a page of which nothing is left is not an empty page", async () => {
    const { report, api } = await run([page(1, 2), page(3, 4), page()], {
      processing_steps: [{ filter: ({ id }) => id === 4 }],
    });
    expect(report).toMatchObject({ status: "done", records: 1 });
    expect(api.requests).toHaveLength(3);
  });

  it("that throw end the run by name, and nothing of the record is in the error", async () => {
    const { report } = await run([page(1)], {
      processing_steps: [
        { filter: () => true },
        {
          map: (record) => {
            throw new TypeError(`canary ${JSON.stringify(record)}`);
          },
        },
      ],
    });
    expect(report).toMatchObject({
      status: "failed",
      error: { code: "extract.step", message: "processing_steps[1] (map) threw TypeError" },
    });
    expect(JSON.stringify(report)).not.toContain("canary");
  });
});

describe("response_actions", () => {
  it("ignore an answer by status: what came before stays, and nothing is retried", async () => {
    const { report, api } = await run([page(1, 2), { status: 503 }], {
      endpoint: { response_actions: [{ status_code: 503, action: "ignore" }] },
    });
    expect(report).toMatchObject({ status: "done", records: 2, retries: 0 });
    expect(api.requests).toHaveLength(2);
  });

  it("match a text in the body, and status and text together", async () => {
    const gone = { status: 404, body: { error: "Not found" } };
    const action = { status_code: 404, content: "Not found", action: "ignore" } as const;
    expect((await run([gone], { endpoint: { response_actions: [action] } })).report.status).toBe(
      "done",
    );
    const other = { ...action, content: "other" };
    expect((await run([gone], { endpoint: { response_actions: [other] } })).report.status).toBe(
      "failed",
    );
    const byText = { content: "found", action: "ignore" } as const;
    expect((await run([gone], { endpoint: { response_actions: [byText] } })).report.status).toBe(
      "done",
    );
  });

  it("call functions, which may change the body in place", async () => {
    const seen: number[] = [];
    const { report, rows } = await run([page(1, 2), page()], {
      endpoint: {
        response_actions: [
          ({ status }) => seen.push(status),
          {
            status_code: 200,
            action: [
              ({ body }) => {
                const { data } = body as { data: { n: number }[] };
                for (const record of data) record.n += 100;
              },
            ],
          },
        ],
      },
    });
    expect(report).toMatchObject({ status: "done", records: 2 });
    expect(rows.map(({ n }) => n?.N).sort()).toEqual(["101", "102"]);
    expect(seen).toEqual([200, 200]);
  });

  it("leave an error that they do not ignore an error", async () => {
    const { report } = await run([{ status: 404 }], {
      endpoint: { response_actions: [{ status_code: 404, action: () => {} }] },
    });
    expect(report).toMatchObject({ status: "failed", error: { code: "extract.status" } });
  });

  it("that throw end the run by name, and nothing of the answer is in the error", async () => {
    const { report } = await run([{ status: 200, body: "canary" }], {
      endpoint: {
        response_actions: [
          ({ body }) => {
            throw new RangeError(String(body));
          },
        ],
      },
    });
    expect(report.error?.message).toBe("a function in response_actions threw RangeError");
  });
});
