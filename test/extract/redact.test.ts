import { expect, test } from "vitest";
import { openRedactor } from "../../packages/core/src/extract/redact.ts";
import { CANARY } from "./fixtures.ts";

test.each([
  ["as it is", CANARY],
  ["in a URL", encodeURIComponent(CANARY)],
  ["in a URL in lower case", encodeURIComponent(CANARY).toLowerCase()],
  ["in a form", new URLSearchParams({ k: CANARY }).toString().slice(2)],
  ["in JSON", JSON.stringify(CANARY).slice(1, -1)],
  ["in base64", Buffer.from(CANARY).toString("base64")],
])("a learned value is hidden %s (P15)", (_, form) => {
  const { learn, quote } = openRedactor();
  expect(learn(CANARY)).toBe(CANARY);
  expect(quote(`key ${form}!`)).toBe("key [secret]!");
});

test.each([
  ["PHP writes JSON", '\\"a\\/ü&\\"'],
  ["Python writes JSON", '\\"a/\\u00fc&\\"'],
  ["HTML shows it", "&quot;a/ü&amp;&quot;"],
])("a learned value is hidden as %s (P15)", (_, form) => {
  const { learn, quote } = openRedactor();
  learn('"a/ü&"');
  expect(quote(`key ${form}!`)).toBe("key [secret]!");
});

test("a value at the edge of the quote is hidden before the cut", () => {
  const { learn, quote } = openRedactor();
  learn(CANARY);
  expect(quote("x".repeat(190) + CANARY)).toBe(`${"x".repeat(190)}[secret]`);
});

test("a quote is one line of at most 200 printable characters", () => {
  const { quote } = openRedactor();
  expect(quote(" a\r\n\tb\u0000\u001b[31mc\u202ed ")).toBe("a b [31mc d");
  expect([...quote("😀".repeat(500))]).toHaveLength(200);
});

test("an empty value hides nothing", () => {
  const { learn, quote } = openRedactor();
  learn("");
  expect(quote("text")).toBe("text");
});
