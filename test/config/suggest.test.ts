import { expect, test } from "vitest";
import { nearest, suggest } from "../../packages/core/src/config/suggest.ts";

const known = ["path", "params", "paginator", "data_selector", "json"];

test.each([
  ["data_selecter", "data_selector"],
  ["data_selectr", "data_selector"],
  ["dta_selectorr", "data_selector"],
  ["aptH", undefined],
  ["apth", "path"],
  ["pagintaor", "paginator"],
  ["JSON", undefined],
  ["headers", undefined],
  ["", undefined],
])("%s most likely means %s", (word, meant) => {
  expect(nearest(word, known)).toBe(meant);
});

test("the nearer of two wins", () => {
  expect(nearest("parans", ["param", "params"])).toBe("params");
});

test("without a near one all known words are listed", () => {
  expect(suggest("apth", known)).toBe("did you mean path?");
  expect(suggest("headers", ["path", "json"])).toBe("known here: path, json");
});
