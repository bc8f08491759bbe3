import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EndpointConfig } from "../packages/core/src/config/endpoint-types.ts";
import type { ResourceConfig } from "../packages/core/src/config/types.ts";
import { openApi, type Reply } from "./support/api.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploySource, testWorld } from "./support/world.ts";

// A config may have functions over records (processing_steps) and over answers (response_actions).

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

/** Runs a source whose API gives these answers in turn. */
async function runSource(
  answers: Reply[],
  {
    endpoint = {},
    ...members
  }: Omit<Partial<ResourceConfig>, "endpoint"> & {
    endpoint?: EndpointConfig;
  } = {},
) {
  const api = await openApi(answers);
  const source = await deploySource(engine, {
    client: { base_url: api.url },
    resources: [
      {
        name: "rows",
        primary_key: "id",
        ...members,
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
  it("filter, map and yield_map change the records in order, before they are counted", async () => {
    const { report, rows } = await runSource([page(1, 2), page(3, 4), page()], {
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

  it("a page whose records are all filtered out does not end the paging like an empty page", async () => {
    const { report, api } = await runSource([page(1, 2), page(3, 4), page()], {
      processing_steps: [{ filter: ({ id }) => id === 4 }],
    });
    expect(report).toMatchObject({ status: "done", records: 1 });
    expect(api.requests).toHaveLength(3);
  });

  it("a processing step that throws ends the run with the step's name, and without data of the record", async () => {
    const { report } = await runSource([page(1)], {
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
  it("an answer that is ignored by its status is not retried, and earlier pages stay", async () => {
    const { report, api } = await runSource([page(1, 2), { status: 503 }], {
      endpoint: { response_actions: [{ status_code: 503, action: "ignore" }] },
    });
    expect(report).toMatchObject({ status: "done", records: 2, retries: 0 });
    expect(api.requests).toHaveLength(2);
  });

  it("a response action matches a string in the body, alone and together with a status", async () => {
    const notFound = { status: 404, body: { error: "Not found" } };
    const action = { status_code: 404, content: "Not found", action: "ignore" } as const;
    expect(
      (await runSource([notFound], { endpoint: { response_actions: [action] } })).report.status,
    ).toBe("done");
    const mismatch = { ...action, content: "other" };
    expect(
      (await runSource([notFound], { endpoint: { response_actions: [mismatch] } })).report.status,
    ).toBe("failed");
    const byContent = { content: "found", action: "ignore" } as const;
    expect(
      (await runSource([notFound], { endpoint: { response_actions: [byContent] } })).report.status,
    ).toBe("done");
  });

  it("a function in response_actions may change the body in place", async () => {
    const statuses: number[] = [];
    const { report, rows } = await runSource([page(1, 2), page()], {
      endpoint: {
        response_actions: [
          ({ status }) => statuses.push(status),
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
    expect(statuses).toEqual([200, 200]);
  });

  it("an error that no response action ignores fails the run", async () => {
    const { report } = await runSource([{ status: 404 }], {
      endpoint: { response_actions: [{ status_code: 404, action: () => {} }] },
    });
    expect(report).toMatchObject({ status: "failed", error: { code: "extract.status" } });
  });

  it("a function in response_actions that throws ends the run without data of the answer", async () => {
    const { report } = await runSource([{ status: 200, body: "canary" }], {
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
