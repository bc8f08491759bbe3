import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultOverlap } from "../../packages/core/src/config/paginators.ts";
import type { OffsetPlan } from "../../packages/core/src/config/plan-types.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import { createPaginator } from "../../packages/core/src/extract/paging/paginators.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { offsetPlan } from "./fixtures.ts";

type Row = { id: number; v: number };

/** How a server may answer an offset. */
interface Server {
  cap?: number;
  withTotal?: boolean;
  /** Where the page really begins. */
  begins?: (offset: number, limit: number) => number;
  /** What happens to the list before the nth request. */
  before?: (rows: Row[], request: number, asked: number) => void;
}

interface Read {
  ids: number[];
  offsets: number[];
  /** The largest memory that a checkpoint had to hold. */
  tail: number;
  /** Why it went on without an overlap, if it did. */
  off: OverlapMemory["off"];
}

const list = (length: number): Row[] => Array.from({ length }, (_, id) => ({ id, v: 0 }));

/** Reads a list to its end as a run does, every request through a checkpoint. */
function readAll(
  rows: Row[],
  server: Server = {},
  { keyed = true, ...changes }: Partial<OffsetPlan> & { keyed?: boolean } = {},
): Read {
  const limit = changes.limit ?? 100;
  const plan = offsetPlan({ limit, overlap: defaultOverlap(limit), ...changes });
  const paging = createPaginator(plan, keyed ? ["id"] : []);
  const read: Read = { ids: [], offsets: [], tail: 0, off: undefined };
  let request: PageRequest | undefined = paging.first();
  while (request) {
    const asked = Number(request.params?.offset);
    server.before?.(rows, read.offsets.length, asked);
    read.offsets.push(asked);
    if (read.offsets.length > 5000) throw new Error("no end of requests");
    const from = server.begins?.(asked, limit) ?? asked;
    const records = rows.slice(from, from + Math.min(limit, server.cap ?? limit));
    const body: JsonValue = server.withTotal ? { total: rows.length } : {};
    const page = {
      request: JSON.parse(JSON.stringify(request)) as PageRequest,
      url: "https://api.example.com/rows",
      records: records.map((row) => ({ ...row })),
      headers: {},
      body,
    };
    const fresh = (paging.fresh?.(page) ?? []) as Row[];
    read.ids.push(...fresh.map(({ id }) => id));
    request = paging.next(page);
    read.off ??= request?.memory?.overlap?.off;
    read.tail = Math.max(read.tail, request?.memory?.overlap?.tail.length ?? 0);
  }
  return read;
}

const ids = (rows: Row[]) => rows.map(({ id }) => id);

describe("offset pages overlap a little (P14)", () => {
  test.each([
    ["without a total, until the last row is seen to be the last", 250, {}, [0, 95, 190, 249]],
    ["with a total, not one request more", 250, { withTotal: true }, [0, 95, 190]],
    ["where the list ends with a full page", 195, {}, [0, 95, 190, 194]],
    ["from a server that caps its pages", 130, { cap: 50 }, [0, 49, 94, 129]],
    ["not where a server sends only a few at once", 12, { cap: 5 }, [0, 5, 10, 12]],
    ["and an empty list is one request", 0, {}, [0]],
  ])("%s", (_, length, server, offsets) => {
    const rows = list(length);
    const read = readAll(rows, server);
    expect(read.ids).toEqual(ids(rows));
    expect(read.offsets).toEqual(offsets);
    expect(read.tail).toBeLessThanOrEqual(5);
  });

  test.each([
    [9, 0],
    [10, 2],
    [24, 4],
    [25, 5],
    [1000, 5],
  ])("a limit of %i has an overlap of %i", (limit, overlap) => {
    expect(defaultOverlap(limit)).toBe(overlap);
  });

  test("an overlap of 0 switches it off", () => {
    const read = readAll(list(250), {}, { overlap: 0 });
    expect(read.offsets).toEqual([0, 100, 200, 250]);
  });

  test("a maximum_offset reads what dlt reads, and no row more", () => {
    const read = readAll(list(500), {}, { maximum: 150 });
    expect(read.ids).toEqual(ids(list(200)));
  });

  test("a row that changed in the overlap is read once more, at its newer version", () => {
    const rows = list(150);
    const before: Server["before"] = (all, request) => {
      if (request === 1) all[97] = { id: 97, v: 1 };
    };
    expect(readAll(rows, { before }).ids.filter((id) => id >= 95 && id < 100)).toEqual([
      95, 96, 97, 98, 99, 97,
    ]);
  });
});

describe("rows that move while they are read (P14)", () => {
  const removed = (count: number, from = 0): Server => ({
    before: (rows, request) => {
      if (request === 1) rows.splice(from, count);
    },
  });

  test.each([
    ["a few", removed(3)],
    ["more than the overlap", removed(40)],
    ["more than a page", removed(95)],
    ["the overlap itself", removed(5, 95)],
    ["almost everything that was read", removed(99)],
    ["everything that was read", removed(100)],
  ])("%s of them went away: none behind is skipped", (_, server) => {
    for (const keyed of [true, false]) {
      const read = readAll(list(300), server, { keyed });
      expect(new Set(read.ids)).toEqual(new Set(ids(list(300))));
    }
  });

  test("many pages back, and then from the start", () => {
    const gone: Server["before"] = (rows, request) => {
      if (request === 18) rows.splice(0, 1600);
    };
    const read = readAll(list(3000), { before: gone });
    expect(new Set(read.ids).size).toBe(3000);
    expect(read.offsets.length).toBeLessThan(60);
  });

  test("rows that came in before are no new ones, and none is skipped", () => {
    let next = 1000;
    const before: Server["before"] = (rows, request) => {
      if (request > 0) rows.unshift({ id: next++, v: 0 }, { id: next++, v: 0 });
    };
    const read = readAll(list(300), { before }, { keyed: false });
    expect(read.ids.filter((id) => id < 1000)).toEqual(ids(list(300)));
  });

  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    count: fc.integer({ min: 1, max: 30 }),
    kind: fc.constantFrom("insert", "delete", "change"),
  });

  test("whatever comes, goes or changes, each row that was there all the time is read", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 10, max: 60 }),
        fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
        fc.boolean(),
        fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 40 }),
        (length, limit, cap, withTotal, changes) => {
          const rows = list(length);
          let next = 10_000;
          const before: Server["before"] = (all, request) => {
            for (const { at, count, kind } of changes[request] ?? []) {
              const index = Math.floor(at * (all.length + 1));
              if (kind === "delete") all.splice(index, count);
              else if (kind === "insert") {
                const more = Array.from({ length: count }, () => ({ id: next++, v: 0 }));
                all.splice(index, 0, ...more);
              } else {
                for (const row of all.slice(index, index + count)) row.v += 1;
              }
            }
          };
          // A server that sends fewer than 10 at once is read without an overlap.
          const capped = cap !== undefined && cap >= 10 ? { cap } : {};
          const read = readAll(rows, { before, withTotal, ...capped }, { limit });
          // Rows that move so that two pages in a row begin at the multiple of the limit below look
          // the same as those of a server that rounds: no reader could tell.
          fc.pre(read.off === undefined);
          const seen = new Set(read.ids);
          // What is left of the first rows was there all the time.
          expect(ids(rows).filter((id) => id < length && !seen.has(id))).toEqual([]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("a list that nobody touches is read exactly once, whatever its length, limit and cap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        fc.boolean(),
        (length, limit, cap, withTotal, keyed) => {
          const rows = list(length);
          const read = readAll(rows, { cap, withTotal }, { limit, keyed });
          expect(read.ids).toEqual(ids(rows));
          const page = Math.min(limit, cap);
          const step = Math.max(1, page - defaultOverlap(page));
          expect(read.offsets.length).toBeLessThanOrEqual(length / step + 3);
        },
      ),
    );
  });
});

describe("a server that does not mean offsets as they are", () => {
  const floor = (offset: number, limit: number) => offset - (offset % limit);
  test.each([
    ["rounds them down", floor],
    ["rounds them", (offset: number, limit: number) => Math.round(offset / limit) * limit],
    ["rounds them up", (offset: number, limit: number) => Math.ceil(offset / limit) * limit],
  ])("and %s is read without an overlap, nothing lost and nothing doubled", (_, begins) => {
    for (const keyed of [true, false]) {
      for (const length of [100, 130, 200, 250, 1000]) {
        const rows = list(length);
        const read = readAll(rows, { begins }, { keyed });
        expect(read.ids).toEqual(ids(rows));
        expect(read.offsets.length).toBeLessThanOrEqual(Math.ceil(length / 100) + 10);
      }
    }
  });

  test("and sends the same page for each of them is a loop (P11)", () => {
    for (const keyed of [true, false]) {
      expect(() => readAll(list(250), { begins: () => 0 }, { keyed })).toThrow(
        "the API sends the same records whatever offset is asked for",
      );
    }
  });

  test("records without a key that differ each time are read as they come", () => {
    const rows = list(300);
    const before: Server["before"] = (all) => {
      for (const row of all) row.v += 1;
    };
    expect(readAll(rows, { before }, { keyed: false }).ids).toEqual(ids(rows));
    expect(readAll(list(300), { before }).ids.length).toBeGreaterThanOrEqual(300);
  });
});
