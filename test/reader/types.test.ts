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
 * What the compiler knows of a table, from the source's declaration alone. `npm run check` fails on
 * a line that is not true.
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
  it("of a source of the documents has its declared fields", () => {
    expectTypeOf<RowOf<typeof incidents, "incident_data">>().toEqualTypeOf<{
      [field: string]: unknown;
      id: string;
      status: string | null;
      created_at: string | null;
      updated_at: string | null;
    }>();
  });

  it("has the types of the columns, merged hint by hint, nullable unless declared otherwise", () => {
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

  it("takes columns as a list, and null for none", () => {
    expectTypeOf<Row<"lines">["order_id"]>().toEqualTypeOf<string>();
    expectTypeOf<Row<"lines">["line"]>().toEqualTypeOf<number | bigint>();
    expectTypeOf<Row<"lines">["sku"]>().toEqualTypeOf<string>();
    expectTypeOf<Row<"lines">["seen"]>().toEqualTypeOf<string | null>();
    expectTypeOf<Row<"stock">["seen"]>().toEqualTypeOf<unknown>();
  });

  it("of a resource that is only named has what resource_defaults say", () => {
    expectTypeOf<Row<"customers">["id"]>().toEqualTypeOf<number | bigint>();
    expectTypeOf<Row<"customers">["seen"]>().toEqualTypeOf<string | null>();
  });
});

describe("a key", () => {
  it("is text, a number or bytes, as its column is declared", () => {
    expectTypeOf<KeyOf<typeof support, "support_tickets">>().toEqualTypeOf<{
      id: string | Numeric;
    }>();
    expectTypeOf<Key<"orders">>().toEqualTypeOf<{ id: Numeric }>();
    expectTypeOf<Key<"files">>().toEqualTypeOf<{ hash: Uint8Array }>();
    expectTypeOf<Row<"files">["hash"]>().toEqualTypeOf<Uint8Array>();
  });

  it("of several fields takes all of them, and of appended rows _row_id", () => {
    type Part = string | Numeric;
    expectTypeOf<Key<"stock">>().toEqualTypeOf<{ site: Part; shelf: Part; sku: Part }>();
    expectTypeOf<Row<"stock">["site"]>().toEqualTypeOf<string>();
    expectTypeOf<Row<"stock">["sku"]>().toEqualTypeOf<string | Numeric>();
    expectTypeOf<Key<"log">>().toEqualTypeOf<{ _row_id: Part }>();
    expectTypeOf<Row<"log">["_row_id"]>().toEqualTypeOf<string>();
    expectTypeOf<Row<"log">["id"]>().toEqualTypeOf<unknown>();
  });

  it("that is wrong is an error", () => {
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
  it("has the named fields and no others", () => {
    const orders = table(shop, "orders", options);
    void (async () => {
      const one = await orders.get({ id: 1 }, { fields: ["total", "elsewhere"] });
      expectTypeOf(one).toEqualTypeOf<{ total: Numeric; elsewhere: unknown } | undefined>();
      const many = await orders.getMany([{ id: 1 }], { fields: ["seen"] });
      expectTypeOf(many).toEqualTypeOf<({ seen: string | null } | undefined)[]>();
      const pages = orders.scan({ segments: 4, fields: ["paid"] });
      expectTypeOf(pages).toEqualTypeOf<Pages<{ paid: boolean }>>();
    });
  });
});

describe("query", () => {
  it("is there for a key of two fields, with a condition on the second", () => {
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

  it("has no condition where the rest of the key is joined", () => {
    const stock = table(shop, "stock", options);
    void (() => [
      stock.query({ site: "a" }),
      // @ts-expect-error _key can not be compared
      stock.query({ site: "a" }, { range: { eq: "b" } }),
    ]);
  });

  it("leaves open which of two is the first, where only columns say that they are a key", () => {
    const pairs = table(shop, "pairs", options);
    void (() => [
      pairs.query({ left: "a" }, { range: { eq: "b" } }),
      // @ts-expect-error a part is missing
      pairs.get({ left: "a" }),
    ]);
  });

  it("goes by the declared indexes, and gives what they hold", () => {
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

  it("is not there for a single key", () => {
    const tickets = table(support, "support_tickets", stage);
    expectTypeOf(tickets).not.toHaveProperty("query");
  });
});

describe("what the compiler does not know", () => {
  it("a typo in a resource's name is an error", () => {
    // @ts-expect-error support_ticket
    void (() => table(support, "support_ticket", stage));
  });

  it("of a source from elsewhere any resource and any field may be there", () => {
    const wide: Source = support;
    const anything = table(wide, "support_tickets", { source: "support", stage: "test" });
    expectTypeOf(anything).toEqualTypeOf<AnyTable<Record<string, unknown>>>();
    const config = { client, resources: [{ name: "a" as string, primary_key: "id" }] };
    void (() => table(rest_api_source(config), "b", options).get({ id: 1 }));
  });

  it("rows can be of a type of one's own", () => {
    interface SupportTickets {
      id: string;
      subject: string | null;
    }
    const tickets = table<SupportTickets>(support, "support_tickets", stage);
    expectTypeOf(tickets).toEqualTypeOf<AnyTable<SupportTickets>>();
    void (async () => {
      const one = await tickets.get({ id: "1" }, { fields: ["subject"] });
      expectTypeOf(one).toEqualTypeOf<{ subject: string | null } | undefined>();
      // @ts-expect-error not a field of the type
      await tickets.get({ id: "1" }, { fields: ["subjekt"] });
    });
  });
});
