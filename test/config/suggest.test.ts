import { expect, test } from "vitest";
import { nearestWord, spellingHint } from "../../packages/core/src/config/suggest.ts";

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
  expect(nearestWord(word, known)).toBe(meant);
});

test("the nearer of two wins", () => {
  expect(nearestWord("parans", ["param", "params"])).toBe("params");
});

test("without a near one all known words are listed", () => {
  expect(spellingHint("apth", known)).toBe("did you mean path?");
  expect(spellingHint("headers", ["path", "json"])).toBe("known here: path, json");
});
