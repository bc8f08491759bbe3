import { expect, test } from "vitest";
import {
  describeDetour,
  type OverlapMemory,
} from "../../packages/core/src/extract/paging/overlap-memory.ts";
import {
  type PageRequest,
  readStoredRequest,
} from "../../packages/core/src/extract/paging/page-request.ts";
import { createPaginator } from "../../packages/core/src/extract/paging/paginators.ts";
import { offsetPlan } from "./fixtures.ts";

const progress = { position: 95, tail: ["k:c"], largestPage: 100 };
const overlapping = { ...progress, isProven: false, restarts: 0, needlessSearches: 0 };
const old = { position: 95, tail: ["k:c"], size: 100 };

const storedRequest = (overlap: object) =>
  ({ params: { offset: 90, limit: 100 }, memory: { total: 300, overlap } }) as PageRequest;

test.each<[string, object, OverlapMemory]>([
  ["overlapping pages", old, { ...overlapping, mode: "overlapping" }],
  [
    "overlapping pages with doubts",
    { ...old, proven: true, restarts: 2, odd: 1 },
    { ...progress, mode: "overlapping", isProven: true, restarts: 2, needlessSearches: 1 },
  ],
  ["a test of rounding", { ...old, rounded: 1 }, { ...overlapping, mode: "testing-rounding" }],
  [
    "a search back",
    { ...old, back: 3, rounded: 1, restarts: 1 },
    { ...overlapping, mode: "searching-back", steps: 3, restarts: 1 },
  ],
  ["a test of repetition", { ...old, again: true }, { ...progress, mode: "testing-repetition" }],
  [
    "pages that are read as they come",
    { ...old, off: "rounds", rounded: 2, proven: true },
    { ...progress, mode: "as-they-come", reason: "rounds", repeats: 2 },
  ],
])("the checkpoint of an older version is understood in the middle of %s", (_, stored, memory) => {
  const request = readStoredRequest(storedRequest(stored));
  expect(request).toEqual(storedRequest(memory));
  expect(readStoredRequest(request)).toEqual(request);
});

test("a request without a memory of an overlap is read from a checkpoint unchanged", () => {
  const request: PageRequest = { params: { page: 2 }, memory: { total: 3 } };
  expect(readStoredRequest(request)).toBe(request);
});

test("offset paging goes on from the checkpoint of an older version", () => {
  const paginator = createPaginator(offsetPlan({ overlap: 2 }), ["id"]);
  const rows = Array.from({ length: 250 }, (_, id) => ({ id }));
  const pageAt = (request: PageRequest, records: object[]) => ({
    request: JSON.parse(JSON.stringify(request)) as PageRequest,
    url: "https://api.example.com/rows",
    records: records as { id: number }[],
    headers: {},
    body: {},
  });
  const second = paginator.next(pageAt(paginator.first(), rows.slice(0, 100)));
  const { tail = [] } = second?.memory?.overlap ?? {};
  const stored = {
    params: { offset: 98, limit: 100 },
    memory: { overlap: { position: 100, tail, size: 100 } },
  } as unknown as PageRequest;
  const page = pageAt(readStoredRequest(stored), rows.slice(98, 198));
  expect(paginator.fresh?.(page)).toEqual(rows.slice(100, 198));
  expect(paginator.next(page)?.params).toEqual({ offset: 196, limit: 100 });
});

test.each<[string | undefined, OverlapMemory | undefined, OverlapMemory | undefined]>([
  [undefined, undefined, { ...overlapping, mode: "overlapping" }],
  [
    "rows before row 95 have gone meanwhile: reading goes back",
    { ...overlapping, mode: "overlapping" },
    { ...overlapping, mode: "searching-back", steps: 1 },
  ],
  [
    "reading goes back further",
    { ...overlapping, mode: "searching-back", steps: 1 },
    { ...overlapping, mode: "searching-back", steps: 2 },
  ],
  [
    "reading starts again",
    { ...progress, mode: "testing-repetition" },
    { ...overlapping, mode: "overlapping", restarts: 1 },
  ],
  [
    "pages do not begin at the offsets that were asked for: they are read as they come",
    { ...overlapping, mode: "testing-rounding" },
    { ...progress, mode: "as-they-come", reason: "rounds", repeats: 2 },
  ],
  [
    undefined,
    { ...progress, mode: "as-they-come", reason: "rounds", repeats: 2 },
    { ...progress, mode: "as-they-come", reason: "rounds", repeats: 3 },
  ],
])("the log says %j where paging takes another way", (line, before, after) => {
  expect(describeDetour(before, after)).toBe(line);
});
