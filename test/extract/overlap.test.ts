import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultOverlap } from "../../packages/core/src/config/paginators.ts";
import type { OffsetPlan } from "../../packages/core/src/config/plan-types.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import { createPaginator } from "../../packages/core/src/extract/paging/paginators.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { offsetPlan } from "./fixtures.ts";

type Row = { id: number; v: number };

/** The ways in which a server may answer an offset. */
interface ServerRules {
  cap?: number;
  withTotal?: boolean;
  /** Returns the offset at which the page really begins. */
  startOf?: (offset: number, limit: number) => number;
  /** Changes the list before the nth request. */
  changeList?: (rows: Row[], request: number, offset: number) => void;
}

interface ReadResult {
  ids: number[];
  offsets: number[];
  /** The length of the longest tail that a checkpoint had to hold. */
  longestTail: number;
  /** Whether the overlap was given up. */
  isAsTheyCome: boolean;
}

const makeList = (length: number): Row[] => Array.from({ length }, (_, id) => ({ id, v: 0 }));

/** Reads a list to its end as a run does, with every request stored in a checkpoint. */
function readAll(
  rows: Row[],
  server: ServerRules = {},
  { keyed = true, ...changes }: Partial<OffsetPlan> & { keyed?: boolean } = {},
): ReadResult {
  const limit = changes.limit ?? 100;
  const plan = offsetPlan({ limit, overlap: defaultOverlap(limit), ...changes });
  const paginator = createPaginator(plan, keyed ? ["id"] : []);
  const result: ReadResult = { ids: [], offsets: [], longestTail: 0, isAsTheyCome: false };
  let request: PageRequest | undefined = paginator.first();
  while (request) {
    const offset = Number(request.params?.offset);
    server.changeList?.(rows, result.offsets.length, offset);
    result.offsets.push(offset);
    if (result.offsets.length > 5000) throw new Error("no end of requests");
    const start = server.startOf?.(offset, limit) ?? offset;
    const records = rows.slice(start, start + Math.min(limit, server.cap ?? limit));
    const body: JsonValue = server.withTotal ? { total: rows.length } : {};
    const page = {
      request: JSON.parse(JSON.stringify(request)) as PageRequest,
      url: "https://api.example.com/rows",
      records: records.map((row) => ({ ...row })),
      headers: {},
      body,
    };
    const fresh = (paginator.fresh?.(page) ?? []) as Row[];
    result.ids.push(...fresh.map(({ id }) => id));
    request = paginator.next(page);
    const overlap = request?.memory?.overlap;
    result.isAsTheyCome ||= overlap?.mode === "as-they-come";
    result.longestTail = Math.max(result.longestTail, overlap?.tail.length ?? 0);
  }
  return result;
}

const idsOf = (rows: Row[]) => rows.map(({ id }) => id);

describe("offset pages overlap a little", () => {
  test.each([
    ["read a list without a total until a page proves its end", 250, {}, [0, 95, 190, 249]],
    ["read a list with a total without a needless request", 250, { withTotal: true }, [0, 95, 190]],
    ["read a list that ends with a full page", 195, {}, [0, 95, 190, 194]],
    ["follow a server that caps its pages", 130, { cap: 50 }, [0, 49, 94, 129]],
    ["do not overlap where a server sends a few rows at once", 12, { cap: 5 }, [0, 5, 10, 12]],
    ["read an empty list with a single request", 0, {}, [0]],
  ])("offset pages with an overlap %s (P14)", (_, length, server, offsets) => {
    const rows = makeList(length);
    const read = readAll(rows, server);
    expect(read.ids).toEqual(idsOf(rows));
    expect(read.offsets).toEqual(offsets);
    expect(read.longestTail).toBeLessThanOrEqual(5);
  });

  test.each([
    [9, 0],
    [10, 2],
    [24, 4],
    [25, 5],
    [1000, 5],
  ])("a limit of %i has a default overlap of %i", (limit, overlap) => {
    expect(defaultOverlap(limit)).toBe(overlap);
  });

  test("an overlap of 0 switches the overlap off", () => {
    const read = readAll(makeList(250), {}, { overlap: 0 });
    expect(read.offsets).toEqual([0, 100, 200, 250]);
  });

  test("a maximum_offset reads the rows that dlt reads, and no others", () => {
    const read = readAll(makeList(500), {}, { maximum: 150 });
    expect(read.ids).toEqual(idsOf(makeList(200)));
  });

  test("a row that changed in the overlap is read again in its newer version", () => {
    const rows = makeList(150);
    const changeList: ServerRules["changeList"] = (list, request) => {
      if (request === 1) list[97] = { id: 97, v: 1 };
    };
    expect(readAll(rows, { changeList }).ids.filter((id) => id >= 95 && id < 100)).toEqual([
      95, 96, 97, 98, 99, 97,
    ]);
  });
});

describe("rows that move while they are read", () => {
  const removeRows = (count: number, from = 0): ServerRules => ({
    changeList: (rows, request) => {
      if (request === 1) rows.splice(from, count);
    },
  });

  test.each([
    ["a few rows", removeRows(3)],
    ["more rows than the overlap", removeRows(40)],
    ["almost a page of rows", removeRows(95)],
    ["the overlap itself", removeRows(5, 95)],
    ["almost every row that was read", removeRows(99)],
    ["every row that was read", removeRows(100)],
  ])("no later row is skipped when %s went away (P14)", (_, server) => {
    for (const keyed of [true, false]) {
      const read = readAll(makeList(300), server, { keyed });
      expect(new Set(read.ids)).toEqual(new Set(idsOf(makeList(300))));
    }
  });

  test("rows that moved far are searched page by page and then from the start (P14)", () => {
    const changeList: ServerRules["changeList"] = (rows, request) => {
      if (request === 18) rows.splice(0, 1600);
    };
    const read = readAll(makeList(3000), { changeList });
    expect(new Set(read.ids).size).toBe(3000);
    expect(read.offsets.length).toBeLessThan(60);
  });

  test("rows inserted before the position are not read as new, and none is skipped (P14)", () => {
    let next = 1000;
    const changeList: ServerRules["changeList"] = (rows, request) => {
      if (request > 0) rows.unshift({ id: next++, v: 0 }, { id: next++, v: 0 });
    };
    const read = readAll(makeList(300), { changeList }, { keyed: false });
    expect(read.ids.filter((id) => id < 1000)).toEqual(idsOf(makeList(300)));
  });

  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    count: fc.integer({ min: 1, max: 30 }),
    kind: fc.constantFrom("insert", "delete", "change"),
  });

  test("each row that exists all the time is read, whatever rows come, go or change (P14)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 10, max: 60 }),
        fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
        fc.boolean(),
        fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 40 }),
        (length, limit, cap, withTotal, changes) => {
          const rows = makeList(length);
          let next = 10_000;
          const changeList: ServerRules["changeList"] = (list, request) => {
            for (const { at, count, kind } of changes[request] ?? []) {
              const index = Math.floor(at * (list.length + 1));
              if (kind === "delete") list.splice(index, count);
              else if (kind === "insert") {
                const inserted = Array.from({ length: count }, () => ({ id: next++, v: 0 }));
                list.splice(index, 0, ...inserted);
              } else {
                for (const row of list.slice(index, index + count)) row.v += 1;
              }
            }
          };
          // A server that sends fewer than 10 at once is read without an overlap.
          const capped = cap !== undefined && cap >= 10 ? { cap } : {};
          const read = readAll(rows, { changeList, withTotal, ...capped }, { limit });
          // Two pages in a row may by chance begin at the multiple of the limit below their offset. No
          // reader could tell them from the pages of a server that rounds.
          fc.pre(!read.isAsTheyCome);
          const readIds = new Set(read.ids);
          // The first rows that are still in the list existed all the time.
          expect(idsOf(rows).filter((id) => id < length && !readIds.has(id))).toEqual([]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("a list that does not change is read exactly once, whatever its length, limit and cap (P14)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        fc.boolean(),
        (length, limit, cap, withTotal, keyed) => {
          const rows = makeList(length);
          const read = readAll(rows, { cap, withTotal }, { limit, keyed });
          expect(read.ids).toEqual(idsOf(rows));
          const page = Math.min(limit, cap);
          const step = Math.max(1, page - defaultOverlap(page));
          expect(read.offsets.length).toBeLessThanOrEqual(length / step + 3);
        },
      ),
    );
  });
});

describe("a server that does not take offsets as they are", () => {
  const roundDown = (offset: number, limit: number) => offset - (offset % limit);
  test.each([
    ["down", roundDown],
    ["to the nearest page", (offset: number, limit: number) => Math.round(offset / limit) * limit],
    ["up", (offset: number, limit: number) => Math.ceil(offset / limit) * limit],
  ])("a server that rounds offsets %s is read without loss or repetition", (_, startOf) => {
    for (const keyed of [true, false]) {
      for (const length of [100, 130, 200, 250, 1000]) {
        const rows = makeList(length);
        const read = readAll(rows, { startOf }, { keyed });
        expect(read.ids).toEqual(idsOf(rows));
        expect(read.offsets.length).toBeLessThanOrEqual(Math.ceil(length / 100) + 10);
      }
    }
  });

  test("a server that sends the same page for each offset is a loop (P11)", () => {
    for (const keyed of [true, false]) {
      expect(() => readAll(makeList(250), { startOf: () => 0 }, { keyed })).toThrow(
        "the API sends the same records whatever offset is asked for",
      );
    }
  });

  test("records without a key that differ each time are read as they come", () => {
    const rows = makeList(300);
    const changeList: ServerRules["changeList"] = (list) => {
      for (const row of list) row.v += 1;
    };
    expect(readAll(rows, { changeList }, { keyed: false }).ids).toEqual(idsOf(rows));
    expect(readAll(makeList(300), { changeList }).ids.length).toBeGreaterThanOrEqual(300);
  });
});
