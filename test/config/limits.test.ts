import { rest_api_source, type SourceConfig, type SourceOptions } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

const client = { base_url: "https://api.example.com" };
const tickets = { name: "tickets", primary_key: "id", endpoint: { path: "tickets" } };
const withBody = (json: unknown) => ({ endpoint: { path: "tickets", method: "POST", json } });

const problemsOf = (config: object, options: object = {}, name = "desk") =>
  validate(rest_api_source(config as SourceConfig, options as SourceOptions), name);
const resourceProblems = (members: object) =>
  problemsOf({ client, resources: [{ ...tickets, ...members }] });

const createResources = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ ...tickets, name: `r${n}` }));
const nest = (levels: number): unknown => (levels === 0 ? 1 : { a: nest(levels - 1) });

const circular: Record<string, unknown> = {};
circular.again = { in: [circular, circular] };

describe("the limits of a config", () => {
  test.each<[what: string, problems: object[], path: string, message: string]>([
    [
      "501 resources",
      problemsOf({ client, resources: createResources(501) }),
      "resources",
      "a source can have 500 resources at most",
    ],
    [
      "a string of 100,001 characters",
      resourceProblems({ endpoint: { path: "x".repeat(100_001) } }),
      "resources[0].endpoint.path",
      "a string can have 100000 characters at most",
    ],
    [
      "a list of 10,001 members",
      resourceProblems({ primary_key: Array(10_001).fill("id") }),
      "resources[0].primary_key",
      "a list or an object can have 10000 members at most",
    ],
    [
      "a list of 10,001 members in the options",
      problemsOf({ client, resources: [tickets] }, { table: { indexes: Array(10_001).fill(1) } }),
      "options.table.indexes",
      "a list or an object can have 10000 members at most",
    ],
    [
      "more than 100,000 values",
      resourceProblems(withBody(Array(11).fill(Array(9999).fill(1)))),
      "",
      "a config can have 100000 values at most",
    ],
    [
      "101 levels",
      resourceProblems(withBody(nest(101))),
      "resources[0].endpoint.json.a.a.a.a.a.a",
      "a config can be nested 100 levels deep at most",
    ],
    [
      "an object that contains itself",
      resourceProblems(withBody(circular)),
      "",
      "a config can have 100000 values at most",
    ],
  ])("a config with %s is refused before other checks", (_, problems, path, message) =>
    expect(problems).toEqual([{ path, message }]));

  it("a key of a million characters is refused, and the message shows its beginning", () => {
    expect(resourceProblems({ ["k".repeat(1_000_000)]: 1 })).toEqual([
      {
        path: expect.stringMatching(/^resources\[0\]\.k{180,200}$/),
        message: "a key can have 1000 characters at most",
      },
    ]);
  });

  it("a name of 65 characters is refused", () => {
    const message = '"name" can have 64 characters at most';
    const longName = "n".repeat(65);
    expect(resourceProblems({ name: longName })).toEqual([{ path: "resources[0].name", message }]);
    expect(problemsOf({ client, resources: [tickets] }, {}, longName)).toEqual([
      { path: "name", message },
    ]);
  });
});

test("a config at its limits is valid", () => {
  expect(problemsOf({ client, resources: createResources(500) })).toEqual([]);
  expect(resourceProblems(withBody(nest(96)))).toEqual([]);
  expect(resourceProblems({ name: "n".repeat(64) })).toEqual([]);
  expect(resourceProblems(withBody(Array(10_000).fill("x")))).toEqual([]);
});
