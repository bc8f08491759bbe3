import fc from "fast-check";
import { expect, test } from "vitest";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { jsonText } from "../../packages/core/src/values/json-text.ts";

test("every JSON value is written as JSON.stringify writes it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(jsonText(value as JsonValue)).toBe(JSON.stringify(value));
    }),
  );
});

test("bigints and decimals are written with every digit", () => {
  const value = { id: 12345678901234567890n, rate: new Decimal("0.12345678901234567890") };
  expect(jsonText(value)).toBe('{"id":12345678901234567890,"rate":0.12345678901234567890}');
});

test("a member named __proto__ is written", () => {
  expect(jsonText(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
});

test("equal objects have equal sorted texts, whatever the order of their members", () => {
  const text = jsonText({ b: 1, a: { d: [1, 2], c: null } }, { sorted: true });
  const reorderedText = jsonText({ a: { c: null, d: [1, 2] }, b: 1 }, { sorted: true });
  expect(text).toBe('{"a":{"c":null,"d":[1,2]},"b":1}');
  expect(reorderedText).toBe(text);
});

test("a value that is nested a hundred thousand levels deep does not overflow the stack", () => {
  let value: JsonValue = [];
  for (let level = 0; level < 100_000; level++) value = [value];
  expect(jsonText(value)).toHaveLength(200_002);
});

test("a text that may be short ends soon after its limit, however large the value is", () => {
  const body = { errors: Array.from({ length: 1_000_000 }, () => 0) };
  expect(jsonText(body, { maxLength: 20 })).toBe('{"errors":[0,0,0,0,0,0');
});
