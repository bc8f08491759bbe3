import { rest_api_source, type SourceConfig, type SourceOptions } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

const endpoint = { path: "/v1/tickets", data_selector: "data", paginator: "single_page" };
const problems = (options: unknown, resource: object = {}) =>
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
const inFunction = (more: object) => problems({ function: more });
const inTable = (table: object, resource: object = {}) => problems({ table }, resource);
const inIndexes = (indexes: object, resource: object = {}) => inTable({ indexes }, resource);

const vpc = { subnets: ["subnet-0a1b2c3d"], security_groups: ["sg-0123456789abcdef0"] };
const kms_key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const columns = (field: string, data_type: string) => ({ columns: { [field]: { data_type } } });

it("finds nothing wrong with all that can be asked for", () => {
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
  expect(problems({ function: worker, table, resources })).toEqual([]);
  expect(problems({ function: {}, table: {}, resources: { tickets: { table: {} } } })).toEqual([]);
});

describe("a typo names itself, its place and the nearest right word", () => {
  test.each([
    ["options.functon", problems({ functon: {} }), "function"],
    ["options.function.memroy", inFunction({ memroy: 1024 }), "memory"],
    ["options.function.vpc.subnet", inFunction({ vpc: { ...vpc, subnet: "x" } }), "subnets"],
    ["options.table.index", inTable({ index: {} }), "indexes"],
    [
      "options.resources.tickets.table.tll",
      problems({ resources: { tickets: { table: { tll: "at" } } } }),
      "ttl",
    ],
    ["options.table.indexes.by_at.hsah", inIndexes({ by_at: { hash: "at", hsah: "at" } }), "hash"],
  ])("%s", (path, found, meant) => {
    const message = `unknown key "${path.split(".").at(-1)}"`;
    expect(found).toEqual([{ path, message, hint: `did you mean ${meant}?` }]);
  });

  test.each([
    ["options.table.stream", inTable({ stream: "new-images" }), "new-image"],
    [
      "options.table.indexes.by_at.projection",
      inIndexes({ by_at: { hash: "at", projection: "keys_only" } }),
      "keys-only",
    ],
  ])("also as a value: %s", (path, found, meant) => {
    const message = expect.stringContaining(`has to be one of: `);
    expect(found).toEqual([{ path, message, hint: `did you mean ${meant}?` }]);
  });
});

describe("a wrong value says what belongs there", () => {
  test.each([
    ["options.function.memory", inFunction({ memory: 127 }), "at least 128"],
    ["options.function.memory", inFunction({ memory: 10_241 }), "at most 10240"],
    ["options.function.memory", inFunction({ memory: 512.5 }), "a whole number"],
    ["options.function.memory", inFunction({ memory: "512" }), "a number"],
    [
      "options.function.reserved_concurrency",
      inFunction({ reserved_concurrency: 0 }),
      "at least 1, for with 0 the worker never runs",
    ],
    [
      "options.function.reserved_concurrency",
      inFunction({ reserved_concurrency: 1.5 }),
      "a whole number",
    ],
    ["options.function.vpc.subnets", inFunction({ vpc: { ...vpc, subnets: [] } }), "at least one"],
    [
      "options.function.vpc.subnets[0]",
      inFunction({ vpc: { ...vpc, subnets: ["sg-0a1b2c3d"] } }),
      'an id like "subnet-0a1b2c3d"',
    ],
    [
      "options.function.vpc.security_groups[1]",
      inFunction({ vpc: { ...vpc, security_groups: ["sg-0a1b2c3d", "default"] } }),
      'an id like "sg-0a1b2c3d"',
    ],
    [
      "options.function.vpc.security_groups",
      inFunction({ vpc: { subnets: vpc.subnets } }),
      "is missing",
    ],
    ["options.table.ttl", inTable({ ttl: "" }), "not empty"],
    ["options.table.stream", inTable({ stream: true }), "one of: keys-only"],
    ["options.table.kms_key", inTable({ kms_key: "alias/mine" }), "the ARN of a key"],
    ["options.table.kms_key", inTable({ kms_key: "arn:aws:s3:::bucket" }), "the ARN of a key"],
    ["options.table.max_write_units", inTable({ max_write_units: 0 }), "at least 1"],
    ["options.table.max_write_units", inTable({ max_write_units: 1.5 }), "a whole number"],
    ["options.table.indexes", inTable({ indexes: [] }), "an object by index name"],
    ["options.table.indexes.at", inIndexes({ at: { hash: "at" } }), "3 to 255 letters"],
    ['options.table.indexes["by at"]', inIndexes({ "by at": { hash: "at" } }), "3 to 255 letters"],
    ["options.table.indexes.by_at.hash", inIndexes({ by_at: {} }), "is missing"],
    [
      "options.table.indexes.by_at.projection",
      inIndexes({ by_at: { hash: "at", projection: [] } }),
      "at least one field",
    ],
    [
      "options.table.indexes.by_at.projection",
      inIndexes({ by_at: { hash: "at", projection: "everything" } }),
      "all, keys-only or a list of fields",
    ],
    [
      "options.table.indexes",
      inIndexes(
        Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`by_${n}`, { hash: "at" }])),
      ),
      "20 at most",
    ],
  ])("%s", (path, found, words) => {
    expect(found).toEqual([
      expect.objectContaining({ path, message: expect.stringContaining(words) }),
    ]);
  });

  it("all of it at once", () => {
    const resources = { tickets: { table: { max_write_units: 0, stream: "new" } } };
    const found = problems({ function: { memory: 1 }, table: { kms_key: "x" }, resources });
    expect(found.map(({ path }) => path).sort()).toEqual([
      "options.function.memory",
      "options.resources.tickets.table.max_write_units",
      "options.resources.tickets.table.stream",
      "options.table.kms_key",
    ]);
  });
});

describe("what a table is asked for fits what its records hold", () => {
  test.each([
    ["the key", {}, "id"],
    ["the range key", { primary_key: ["org", "id"] }, "id"],
    ["a key that is made", { primary_key: ["a", "b", "c"] }, "_key"],
    ["the key that an appended row gets", { write_disposition: "append" }, "_row_id"],
  ])("rows do not expire by %s", (_, resource, ttl) => {
    expect(inTable({ ttl }, resource)).toEqual([
      {
        path: "options.table.ttl",
        message: `"${ttl}" is part of the table's key, and a row does not expire by its key`,
        hint: "name another field, one with seconds since 1970",
      },
    ]);
  });

  it("rows can expire by a field that is joined into a key", () => {
    expect(inTable({ ttl: "c" }, { primary_key: ["a", "b", "c"] })).toEqual([]);
  });

  test.each(["text", "timestamp", "date", "bool"])("nor by a %s", (type) => {
    expect(inTable({ ttl: "at" }, columns("at", type))).toEqual([
      {
        path: "options.table.ttl",
        message: `"at" is declared ${type}, and DynamoDB expires rows by a number of seconds since 1970 only`,
        hint: "name a field that holds such a number and declare it bigint, or leave ttl out",
      },
    ]);
  });

  test.each(["bigint", "double", "decimal"])("but by a %s", (type) =>
    expect(inTable({ ttl: "at" }, columns("at", type))).toEqual([]));

  it("an index on the ttl field needs to know that it is a number", () => {
    const table = { ttl: "at", indexes: { by_at: { hash: "org", range: "at" } } };
    expect(inTable(table)).toEqual([
      {
        path: "options.table.ttl",
        message: 'rows expire by a number, and an index takes "at" as text',
        hint: 'declare it in columns: { "at": { "data_type": "bigint" } }',
      },
    ]);
    expect(inTable(table, columns("at", "bigint"))).toEqual([]);
  });

  it("hash and range of an index are two fields", () => {
    expect(inIndexes({ by_at: { hash: "at", range: "at" } })).toEqual([
      expect.objectContaining({
        path: "options.table.indexes.by_at.range",
        message: "hash and range name the same field",
      }),
    ]);
  });

  test.each(["bool", "json"])("a %s is no key of an index", (type) => {
    expect(inIndexes({ by_at: { hash: "org", range: "at" } }, columns("at", type))).toEqual([
      {
        path: "options.table.indexes.by_at.range",
        message: `"at" is declared ${type}, and this type can not be a key`,
        hint: "declare text, bigint, decimal, double or binary, or name another field",
      },
    ]);
  });

  it("a projection names each field once", () => {
    expect(inIndexes({ by_at: { hash: "at", projection: ["a", "b", "a"] } })).toEqual([
      expect.objectContaining({
        path: "options.table.indexes.by_at.projection",
        message: "projection names a field twice",
      }),
    ]);
  });

  it("each problem stands where its option was written", () => {
    const own = { tickets: { table: { indexes: { by_at: { hash: "at", range: "at" } } } } };
    expect(problems({ table: { ttl: "id" }, resources: own }).map(({ path }) => path)).toEqual([
      "options.table.ttl",
      "options.resources.tickets.table.indexes.by_at.range",
    ]);
  });
});
