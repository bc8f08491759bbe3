import { type Decimal, type JsonValue, rest_api_source, type Source } from "@tidetable/core";
import {
  type AnyTable,
  type KeyOf,
  type Numeric,
  type Pages,
  type RowOf,
  table,
} from "@tidetable/reader";
import { sources } from "@tidetable/sources";
import { describe, expectTypeOf, it } from "vitest";

/*
 * The types of a table, derived from the declaration of its source. `npm run check` fails on a line
 * with a wrong type.
 */

const { support, incidents } = sources;

const client = { base_url: "https://api.example.com" } as const;
const shop = rest_api_source(
  {
    client,
    resource_defaults: {
      primary_key: "id",
      write_disposition: "merge",
      columns: { id: { data_type: "bigint" }, seen: { data_type: "timestamp" } },
    },
    resources: [
      "customers",
      {
        name: "orders",
        processing_steps: [{ filter: (order) => order.open === true }],
        columns: {
          id: { description: "as in the shop" },
          total: { data_type: "decimal", nullable: false },
          weight: { data_type: "double" },
          count: { data_type: "bigint" },
          paid: { data_type: "bool", nullable: false },
          scan: { data_type: "binary" },
          address: { data_type: "json" },
          note: {},
        },
      },
      {
        name: "lines",
        primary_key: ["order_id", "line"],
        columns: [
          { name: "line", data_type: "bigint" },
          { name: "sku", data_type: "text", nullable: false },
        ],
      },
      { name: "stock", primary_key: ["site", "shelf", "sku"], columns: null },
      { name: "log", write_disposition: "append", primary_key: "id", columns: null },
      {
        name: "files",
        primary_key: null,
        columns: { hash: { data_type: "binary", primary_key: true } },
      },
      {
        name: "pairs",
        primary_key: null,
        columns: { left: { primary_key: true }, right: { primary_key: true } },
      },
    ],
  },
  {
    resources: {
      orders: {
        columns: { weight: { nullable: false } },
        table: {
          indexes: {
            by_customer: { hash: "customer", range: "count" },
            slim: { hash: "customer", projection: ["paid"] },
          },
        },
      },
    },
  },
);

const options = { source: "shop", stage: "test" };
type Row<Name> = RowOf<typeof shop, Name>;
type Key<Name> = KeyOf<typeof shop, Name>;
const stage = { stage: "test" };

describe("a row", () => {
  it("a row of a documented source has its declared fields", () => {
    expectTypeOf<RowOf<typeof incidents, "incident_data">>().toEqualTypeOf<{
      [field: string]: unknown;
      id: string;
      status: string | null;
      created_at: string | null;
      updated_at: string | null;
    }>();
  });

  it("a row has the types of its columns, merged hint by hint and nullable by default", () => {
    expectTypeOf<Row<"orders">>().toEqualTypeOf<{
      [field: string]: unknown;
      id: number | bigint;
      seen: string | null;
      total: number | bigint | Decimal;
      weight: number;
      count: number | bigint | null;
      paid: boolean;
      scan: Uint8Array | null;
      address: JsonValue;
      note: unknown;
    }>();
  });

  it("columns can be a list, and null drops the default columns", () => {
    expectTypeOf<Row<"lines">["order_id"]>().toEqualTypeOf<string>();
    expectTypeOf<Row<"lines">["line"]>().toEqualTypeOf<number | bigint>();
    expectTypeOf<Row<"lines">["sku"]>().toEqualTypeOf<string>();
    expectTypeOf<Row<"lines">["seen"]>().toEqualTypeOf<string | null>();
    expectTypeOf<Row<"stock">["seen"]>().toEqualTypeOf<unknown>();
  });

  it("a row of a resource that is only named has the types of resource_defaults", () => {
    expectTypeOf<Row<"customers">["id"]>().toEqualTypeOf<number | bigint>();
    expectTypeOf<Row<"customers">["seen"]>().toEqualTypeOf<string | null>();
  });
});

describe("a key", () => {
  it("a key is a string, a number or bytes, as its column declares", () => {
    expectTypeOf<KeyOf<typeof support, "support_tickets">>().toEqualTypeOf<{
      id: string | Numeric;
    }>();
    expectTypeOf<Key<"orders">>().toEqualTypeOf<{ id: Numeric }>();
    expectTypeOf<Key<"files">>().toEqualTypeOf<{ hash: Uint8Array }>();
    expectTypeOf<Row<"files">["hash"]>().toEqualTypeOf<Uint8Array>();
  });

  it("a key of several fields takes every field, and a key of appended rows takes _row_id", () => {
    type Part = string | Numeric;
    expectTypeOf<Key<"stock">>().toEqualTypeOf<{ site: Part; shelf: Part; sku: Part }>();
    expectTypeOf<Row<"stock">["site"]>().toEqualTypeOf<string>();
    expectTypeOf<Row<"stock">["sku"]>().toEqualTypeOf<string | Numeric>();
    expectTypeOf<Key<"log">>().toEqualTypeOf<{ _row_id: Part }>();
    expectTypeOf<Row<"log">["_row_id"]>().toEqualTypeOf<string>();
    expectTypeOf<Row<"log">["id"]>().toEqualTypeOf<unknown>();
  });

  it("a wrong key is a type error", () => {
    const lines = table(shop, "lines", options);
    void (() => [
      // @ts-expect-error a part is missing
      lines.get({ order_id: "1" }),
      // @ts-expect-error a field that the key has not
      lines.get({ order_id: "1", line: 1, sku: "a" }),
      // @ts-expect-error the column is a number
      lines.get({ order_id: "1", line: "first" }),
      lines.get({ order_id: 1, line: 1n }),
    ]);
  });
});

describe("a projection", () => {
  it("a projection has the requested fields and no others", () => {
    const orders = table(shop, "orders", options);
    void (async () => {
      const order = await orders.get({ id: 1 }, { fields: ["total", "elsewhere"] });
      expectTypeOf(order).toEqualTypeOf<{ total: Numeric; elsewhere: unknown } | undefined>();
      const rows = await orders.getMany([{ id: 1 }], { fields: ["seen"] });
      expectTypeOf(rows).toEqualTypeOf<({ seen: string | null } | undefined)[]>();
      const pages = orders.scan({ segments: 4, fields: ["paid"] });
      expectTypeOf(pages).toEqualTypeOf<Pages<{ paid: boolean }>>();
    });
  });
});

describe("query", () => {
  it("a table with a key of two fields can be queried, with a condition on the second", () => {
    const lines = table(shop, "lines", options);
    void (() => [
      lines.query({ order_id: 1 }, { range: { between: [1, 2n] }, descending: true, limit: 3 }),
      // @ts-expect-error the hash key is order_id
      lines.query({ line: 1 }),
      // @ts-expect-error a number begins with nothing
      lines.query({ order_id: 1 }, { range: { begins_with: "1" } }),
      // @ts-expect-error there are no indexes
      lines.query({ order_id: 1 }, { index: "by_customer" }),
    ]);
  });

  it("a query has no range condition when the range key is joined", () => {
    const stock = table(shop, "stock", options);
    void (() => [
      stock.query({ site: "a" }),
      // @ts-expect-error _key can not be compared
      stock.query({ site: "a" }, { range: { eq: "b" } }),
    ]);
  });

  it("either of two flagged key columns may be the hash key of a query", () => {
    const pairs = table(shop, "pairs", options);
    void (() => [
      pairs.query({ left: "a" }, { range: { eq: "b" } }),
      // @ts-expect-error a part is missing
      pairs.get({ left: "a" }),
    ]);
  });

  it("a query by a declared index yields rows of the fields that the index holds", () => {
    const orders = table(shop, "orders", options);
    void (() => {
      const all = orders.query({ customer: "a" }, { index: "by_customer", range: { gt: 1 } });
      expectTypeOf(all).toEqualTypeOf<Pages<Row<"orders">>>();
      const slim = orders.query({ customer: "a" }, { index: "slim" });
      expectTypeOf(slim).toEqualTypeOf<
        Pages<{ id: number | bigint; customer: unknown; paid: boolean }>
      >();
      // @ts-expect-error its key is one field, so a query needs an index
      orders.query({ id: 1 });
      // @ts-expect-error this index has no range key
      orders.query({ customer: "a" }, { index: "slim", range: { eq: 1 } });
      // @ts-expect-error DynamoDB has no consistent reads of an index
      orders.query({ customer: "a" }, { index: "by_customer", consistent: true });
    });
  });

  it("a table with a key of one field has no query", () => {
    const tickets = table(support, "support_tickets", stage);
    expectTypeOf(tickets).not.toHaveProperty("query");
  });
});

describe("a source that the compiler does not know", () => {
  it("a typo in the name of a resource is a type error", () => {
    // @ts-expect-error support_ticket
    void (() => table(support, "support_ticket", stage));
  });

  it("a source of unknown type may have any resource and any field", () => {
    const untyped: Source = support;
    const anyTable = table(untyped, "support_tickets", { source: "support", stage: "test" });
    expectTypeOf(anyTable).toEqualTypeOf<AnyTable<Record<string, unknown>>>();
    const config = { client, resources: [{ name: "a" as string, primary_key: "id" }] };
    void (() => table(rest_api_source(config), "b", options).get({ id: 1 }));
  });

  it("the type of rows can be given as a type argument", () => {
    interface SupportTickets {
      id: string;
      subject: string | null;
    }
    const tickets = table<SupportTickets>(support, "support_tickets", stage);
    expectTypeOf(tickets).toEqualTypeOf<AnyTable<SupportTickets>>();
    void (async () => {
      const ticket = await tickets.get({ id: "1" }, { fields: ["subject"] });
      expectTypeOf(ticket).toEqualTypeOf<{ subject: string | null } | undefined>();
      // @ts-expect-error not a field of the type
      await tickets.get({ id: "1" }, { fields: ["subjekt"] });
    });
  });
});
