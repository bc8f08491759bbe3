import { rest_api_source, type SourceConfig, type SourceOptions } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

const endpoint = { path: "/v1/tickets", data_selector: "data", paginator: "single_page" };
const problemsOf = (options: unknown, resource: object = {}) =>
  validate(
    rest_api_source(
      {
        client: { base_url: "https://api.example.com" },
        resources: [{ name: "tickets", primary_key: "id", endpoint, ...resource }],
      } as SourceConfig,
      options as SourceOptions,
    ),
    "ticketing",
  );
const functionProblems = (members: object) => problemsOf({ function: members });
const tableProblems = (table: object, resource: object = {}) => problemsOf({ table }, resource);
const indexProblems = (indexes: object, resource: object = {}) =>
  tableProblems({ indexes }, resource);

const vpc = { subnets: ["subnet-0a1b2c3d"], security_groups: ["sg-0123456789abcdef0"] };
const kms_key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const columnsWith = (field: string, data_type: string) => ({ columns: { [field]: { data_type } } });

it("options with every setting of AWS have no problems", () => {
  const table = {
    ttl: "expires_at",
    stream: "new-and-old-images",
    indexes: {
      by_status: { hash: "status", range: "updated_at" },
      "by.owner-1": { hash: "owner", projection: "keys-only" },
      by_id: { hash: "id", range: "status", projection: ["title", "owner"] },
    },
    kms_key,
    max_write_units: 1,
  };
  const resources = { tickets: { table } };
  const worker = { memory: 10_240, reserved_concurrency: 1, vpc };
  expect(problemsOf({ function: worker, table, resources })).toEqual([]);
  expect(problemsOf({ function: {}, table: {}, resources: { tickets: { table: {} } } })).toEqual(
    [],
  );
});

describe("a typo in the options", () => {
  test.each([
    ["options.functon", problemsOf({ functon: {} }), "function"],
    ["options.function.memroy", functionProblems({ memroy: 1024 }), "memory"],
    ["options.function.vpc.subnet", functionProblems({ vpc: { ...vpc, subnet: "x" } }), "subnets"],
    ["options.table.index", tableProblems({ index: {} }), "indexes"],
    [
      "options.resources.tickets.table.tll",
      problemsOf({ resources: { tickets: { table: { tll: "at" } } } }),
      "ttl",
    ],
    [
      "options.table.indexes.by_at.hsah",
      indexProblems({ by_at: { hash: "at", hsah: "at" } }),
      "hash",
    ],
  ])("an unknown option is reported at %s, with the nearest right option as a hint", (path, problems, meant) => {
    const message = `unknown key "${path.split(".").at(-1)}"`;
    expect(problems).toEqual([{ path, message, hint: `did you mean ${meant}?` }]);
  });

  test.each([
    ["options.table.stream", tableProblems({ stream: "new-images" }), "new-image"],
    [
      "options.table.indexes.by_at.projection",
      indexProblems({ by_at: { hash: "at", projection: "keys_only" } }),
      "keys-only",
    ],
  ])("a misspelled value of an option is reported at %s, with the nearest right value as a hint", (path, problems, meant) => {
    const message = expect.stringContaining(`has to be one of: `);
    expect(problems).toEqual([{ path, message, hint: `did you mean ${meant}?` }]);
  });
});

describe("a wrong value of an option", () => {
  test.each([
    ["options.function.memory", functionProblems({ memory: 127 }), "at least 128"],
    ["options.function.memory", functionProblems({ memory: 10_241 }), "at most 10240"],
    ["options.function.memory", functionProblems({ memory: 512.5 }), "a whole number"],
    ["options.function.memory", functionProblems({ memory: "512" }), "a number"],
    [
      "options.function.reserved_concurrency",
      functionProblems({ reserved_concurrency: 0 }),
      "at least 1, because with 0 the worker never runs",
    ],
    [
      "options.function.reserved_concurrency",
      functionProblems({ reserved_concurrency: 1.5 }),
      "a whole number",
    ],
    [
      "options.function.vpc.subnets",
      functionProblems({ vpc: { ...vpc, subnets: [] } }),
      "at least one",
    ],
    [
      "options.function.vpc.subnets[0]",
      functionProblems({ vpc: { ...vpc, subnets: ["sg-0a1b2c3d"] } }),
      'an id like "subnet-0a1b2c3d"',
    ],
    [
      "options.function.vpc.security_groups[1]",
      functionProblems({ vpc: { ...vpc, security_groups: ["sg-0a1b2c3d", "default"] } }),
      'an id like "sg-0a1b2c3d"',
    ],
    [
      "options.function.vpc.security_groups",
      functionProblems({ vpc: { subnets: vpc.subnets } }),
      "is missing",
    ],
    ["options.table.ttl", tableProblems({ ttl: "" }), "not empty"],
    ["options.table.stream", tableProblems({ stream: true }), "one of: keys-only"],
    ["options.table.kms_key", tableProblems({ kms_key: "alias/mine" }), "the ARN of a key"],
    [
      "options.table.kms_key",
      tableProblems({ kms_key: "arn:aws:s3:::bucket" }),
      "the ARN of a key",
    ],
    ["options.table.max_write_units", tableProblems({ max_write_units: 0 }), "at least 1"],
    ["options.table.max_write_units", tableProblems({ max_write_units: 1.5 }), "a whole number"],
    ["options.table.indexes", tableProblems({ indexes: [] }), "an object by index name"],
    ["options.table.indexes.at", indexProblems({ at: { hash: "at" } }), "3 to 255 letters"],
    [
      'options.table.indexes["by at"]',
      indexProblems({ "by at": { hash: "at" } }),
      "3 to 255 letters",
    ],
    ["options.table.indexes.by_at.hash", indexProblems({ by_at: {} }), "is missing"],
    [
      "options.table.indexes.by_at.projection",
      indexProblems({ by_at: { hash: "at", projection: [] } }),
      "at least one field",
    ],
    [
      "options.table.indexes.by_at.projection",
      indexProblems({ by_at: { hash: "at", projection: "everything" } }),
      "all, keys-only or a list of fields",
    ],
    [
      "options.table.indexes",
      indexProblems(
        Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`by_${n}`, { hash: "at" }])),
      ),
      "20 at most",
    ],
  ])("a wrong option at %s gets a message with the right kind of value: case %#", (path, problems, words) => {
    expect(problems).toEqual([
      expect.objectContaining({ path, message: expect.stringContaining(words) }),
    ]);
  });

  it("validation reports all wrong options at once", () => {
    const resources = { tickets: { table: { max_write_units: 0, stream: "new" } } };
    const problems = problemsOf({ function: { memory: 1 }, table: { kms_key: "x" }, resources });
    expect(problems.map(({ path }) => path).sort()).toEqual([
      "options.function.memory",
      "options.resources.tickets.table.max_write_units",
      "options.resources.tickets.table.stream",
      "options.table.kms_key",
    ]);
  });
});

describe("the options of a table against the fields of its records", () => {
  test.each([
    ["the key", {}, "id"],
    ["the range key", { primary_key: ["org", "id"] }, "id"],
    ["a joined key", { primary_key: ["a", "b", "c"] }, "_key"],
    ["the _row_id of an append", { write_disposition: "append" }, "_row_id"],
  ])("a ttl on %s is refused", (_, resource, ttl) => {
    expect(tableProblems({ ttl }, resource)).toEqual([
      {
        path: "options.table.ttl",
        message: `"${ttl}" is part of the table's key, and a row does not expire by its key`,
        hint: "name another field, one with seconds since 1970",
      },
    ]);
  });

  it("a ttl on a field that is joined into a key is valid", () => {
    expect(tableProblems({ ttl: "c" }, { primary_key: ["a", "b", "c"] })).toEqual([]);
  });

  test.each([
    "text",
    "timestamp",
    "date",
    "bool",
  ])("a ttl on a field of the type %s is refused", (type) => {
    expect(tableProblems({ ttl: "at" }, columnsWith("at", type))).toEqual([
      {
        path: "options.table.ttl",
        message: `"at" is declared ${type}, and DynamoDB expires rows by a number of seconds since 1970 only`,
        hint: "name a field that holds such a number and declare it bigint, or leave ttl out",
      },
    ]);
  });

  test.each(["bigint", "double", "decimal"])("a ttl on a field of the type %s is valid", (type) =>
    expect(tableProblems({ ttl: "at" }, columnsWith("at", type))).toEqual([]));

  it("an index on the ttl field needs a declared number type", () => {
    const table = { ttl: "at", indexes: { by_at: { hash: "org", range: "at" } } };
    expect(tableProblems(table)).toEqual([
      {
        path: "options.table.ttl",
        message: 'rows expire by a number, and an index takes "at" as text',
        hint: 'declare it in columns: { "at": { "data_type": "bigint" } }',
      },
    ]);
    expect(tableProblems(table, columnsWith("at", "bigint"))).toEqual([]);
  });

  it("an index whose hash and range are the same field is refused", () => {
    expect(indexProblems({ by_at: { hash: "at", range: "at" } })).toEqual([
      expect.objectContaining({
        path: "options.table.indexes.by_at.range",
        message: "hash and range name the same field",
      }),
    ]);
  });

  test.each(["bool", "json"])("an index key of the type %s is refused", (type) => {
    expect(indexProblems({ by_at: { hash: "org", range: "at" } }, columnsWith("at", type))).toEqual(
      [
        {
          path: "options.table.indexes.by_at.range",
          message: `"at" is declared ${type}, and this type cannot be a key`,
          hint: "declare text, bigint, decimal, double or binary, or name another field",
        },
      ],
    );
  });

  it("a projection that names a field twice is refused", () => {
    expect(indexProblems({ by_at: { hash: "at", projection: ["a", "b", "a"] } })).toEqual([
      expect.objectContaining({
        path: "options.table.indexes.by_at.projection",
        message: "projection names a field twice",
      }),
    ]);
  });

  it("each problem has the path under which its option was written", () => {
    const resources = { tickets: { table: { indexes: { by_at: { hash: "at", range: "at" } } } } };
    expect(problemsOf({ table: { ttl: "id" }, resources }).map(({ path }) => path)).toEqual([
      "options.table.ttl",
      "options.resources.tickets.table.indexes.by_at.range",
    ]);
  });
});
