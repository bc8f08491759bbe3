import { describe, expect, test } from "vitest";
import { parsePath } from "../../packages/core/src/config/jsonpath.ts";
import { paginator } from "../../packages/core/src/extract/paginators.ts";
import type { JsonValue, PageRequest } from "../../packages/core/src/flow.ts";
import { offsetPlan } from "./fixtures.ts";

const required = { path: parsePath("meta.total"), required: true };

/** The request after a page at `offset`. */
function following(
  changes: Parameters<typeof offsetPlan>[0],
  page: { offset: number; received: number; body?: JsonValue },
): PageRequest | undefined {
  const { offset, received, body = {} } = page;
  const request = { params: { offset, limit: 100 } };
  return paginator(offsetPlan(changes)).next({ request, received, body });
}

const at = (offset: number) => ({ params: { offset, limit: 100 } });

test("single_page asks once", () => {
  const once = paginator({ type: "single_page" });
  expect(once.first()).toEqual({});
  expect(once.next({ request: {}, received: 5, body: [] })).toBe(undefined);
});

describe("offset", () => {
  test("begins at the offset of the plan, under the plan's names", () => {
    const plan = offsetPlan({ offset: 40, limit: 20, offsetParam: "skip", limitParam: "take" });
    const first = paginator(plan).first();
    expect(first).toEqual({ params: { skip: 40, take: 20 } });
    const second = { params: { skip: 60, take: 20 } };
    expect(paginator(plan).next({ request: first, received: 20, body: {} })).toEqual(second);
  });

  test.each([
    ["a full page: one limit further", {}, { offset: 0, received: 100 }, at(100)],
    ["a short page without a total: by what came", {}, { offset: 100, received: 50 }, at(150)],
    ["an empty page: the end", {}, { offset: 200, received: 0 }, undefined],
    ["no content: the end", {}, { offset: 200, received: 0, body: null }, undefined],
    ["more than asked for: never past the limit", {}, { offset: 0, received: 130 }, at(100)],
    ["the total reached", {}, { offset: 100, received: 50, body: { total: 150 } }, undefined],
    ["the total not reached", {}, { offset: 0, received: 100, body: { total: 101 } }, at(100)],
    [
      "a short page before the total: by what came",
      {},
      { offset: 0, received: 50, body: { total: 120 } },
      at(50),
    ],
    ["a total in text", {}, { offset: 100, received: 50, body: { total: "150" } }, undefined],
    [
      "a total that is null counts as none",
      {},
      { offset: 0, received: 9, body: { total: null } },
      at(9),
    ],
    ["so does one that is no number", {}, { offset: 0, received: 9, body: { total: {} } }, at(9)],
    ["the maximum is exclusive", { maximumOffset: 100 }, { offset: 0, received: 100 }, undefined],
    ["below the maximum", { maximumOffset: 101 }, { offset: 0, received: 100 }, at(100)],
    [
      "an empty page before the total, where these do not stop",
      { stopAfterEmptyPage: false },
      { offset: 0, received: 0, body: { total: 300 } },
      at(100),
    ],
    [
      "an empty page before its required total is looked for",
      { total: required },
      { offset: 0, received: 0 },
      undefined,
    ],
    [
      "a required total",
      { total: required },
      { offset: 0, received: 100, body: { meta: { total: 300 } } },
      at(100),
    ],
  ])("%s", (_, changes, page, next) => {
    expect(following(changes, page)).toEqual(next);
  });

  test.each([
    [{}],
    [{ meta: { total: null } }],
    [{ meta: { total: "many" } }],
  ])("a required total that is no number is an error: %j", (body) => {
    expect(() => following({ total: required }, { offset: 0, received: 9, body })).toThrow(
      'the answer has no number at total_path "meta.total"',
    );
  });
});
