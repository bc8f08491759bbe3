import { rest_api_source, type SourceConfig, type SourceOptions } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

const client = { base_url: "https://api.example.com" };
const tickets = { name: "tickets", primary_key: "id", endpoint: { path: "tickets" } };
const body = (json: unknown) => ({ endpoint: { path: "tickets", method: "POST", json } });

const problems = (config: object, options: object = {}, name = "desk") =>
  validate(rest_api_source(config as SourceConfig, options as SourceOptions), name);
const inResource = (more: object) => problems({ client, resources: [{ ...tickets, ...more }] });

const resources = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ ...tickets, name: `r${n}` }));
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });

const circle: Record<string, unknown> = {};
circle.again = { in: [circle, circle] };

describe("a config that is too large is refused before anything reads it", () => {
  test.each<[what: string, found: object[], path: string, message: string]>([
    [
      "resources",
      problems({ client, resources: resources(501) }),
      "resources",
      "a source can have 500 resources at most",
    ],
    [
      "a text",
      inResource({ endpoint: { path: "x".repeat(100_001) } }),
      "resources[0].endpoint.path",
      "a text can have 100000 characters at most",
    ],
    [
      "a list",
      inResource({ primary_key: Array(10_001).fill("id") }),
      "resources[0].primary_key",
      "a list or an object can have 10000 members at most",
    ],
    [
      "a list in the options",
      problems({ client, resources: [tickets] }, { table: { indexes: Array(10_001).fill(1) } }),
      "options.table.indexes",
      "a list or an object can have 10000 members at most",
    ],
    [
      "all of it",
      inResource(body(Array(11).fill(Array(9999).fill(1)))),
      "",
      "a config can have 100000 values at most",
    ],
    [
      "its depth",
      inResource(body(nested(101))),
      "resources[0].endpoint.json.a.a.a.a.a.a",
      "a config can be nested 100 levels deep at most",
    ],
    [
      "one that holds itself",
      inResource(body(circle)),
      "",
      "a config can have 100000 values at most",
    ],
  ])("%s", (_, found, path, message) => expect(found).toEqual([{ path, message }]));

  it("a key, of which the beginning is told", () => {
    expect(inResource({ ["k".repeat(1_000_000)]: 1 })).toEqual([
      {
        path: expect.stringMatching(/^resources\[0\]\.k{180,200}$/),
        message: "a key can have 1000 characters at most",
      },
    ]);
  });

  it("a name, which is a part of others", () => {
    const message = '"name" can have 64 characters at most';
    const long = "n".repeat(65);
    expect(inResource({ name: long })).toEqual([{ path: "resources[0].name", message }]);
    expect(problems({ client, resources: [tickets] }, {}, long)).toEqual([
      { path: "name", message },
    ]);
  });
});

test("what is as large as can be is taken", () => {
  expect(problems({ client, resources: resources(500) })).toEqual([]);
  expect(inResource(body(nested(96)))).toEqual([]);
  expect(inResource({ name: "n".repeat(64) })).toEqual([]);
  expect(inResource(body(Array(10_000).fill("x")))).toEqual([]);
});
