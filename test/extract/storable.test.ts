import { expect, it } from "vitest";
import { limits } from "../../packages/core/src/base/limits.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import { createPaginator } from "../../packages/core/src/extract/paging/paginators.ts";
import { assertStorable } from "../../packages/core/src/extract/storable.ts";

const textOf = (length: number) => "a".repeat(length);
const maxLength = limits.storedCharacters;

it("a page token too long for a state item is refused by name (P10)", () => {
  expect(() => assertStorable([1, textOf(maxLength)], "the token")).not.toThrow();
  expect(() => assertStorable([1, textOf(maxLength + 1)], "the token")).toThrow(
    "the token has more than 65536 characters, and would have to be stored",
  );
});

it("a link to the next page that is too long for a state item is refused by name (P10)", () => {
  const { next } = createPaginator({ type: "json_link", next: parseJsonPath("next") });
  const page = { request: {}, url: "https://api.example.com/rows", records: [], headers: {} };
  expect(next({ ...page, body: { next: "/rows?page=2" } })).toBeDefined();
  expect(() => next({ ...page, body: { next: `/rows?page=${textOf(maxLength)}` } })).toThrow(
    "the link to the next page has more than",
  );
});
