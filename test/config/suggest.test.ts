import { expect, test } from "vitest";
import { nearestWord, spellingHint } from "../../packages/core/src/config/suggest.ts";

const rightWords = ["path", "params", "paginator", "data_selector", "json"];

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
])("the nearest right word to %j is %j", (word, meant) => {
  expect(nearestWord(word, rightWords)).toBe(meant);
});

test("the nearer of two similar words is suggested", () => {
  expect(nearestWord("parans", ["param", "params"])).toBe("params");
});

test("the hint lists all right words when none of them is near", () => {
  expect(spellingHint("apth", rightWords)).toBe("did you mean path?");
  expect(spellingHint("headers", ["path", "json"])).toBe("known here: path, json");
});
