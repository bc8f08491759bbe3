import fc from "fast-check";
import { expect, test } from "vitest";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { jsonText } from "../../packages/core/src/values/json-text.ts";

test("what JSON.stringify can write, it writes the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(jsonText(value as JsonValue)).toBe(JSON.stringify(value));
    }),
  );
});

test("bigints and decimals keep every digit", () => {
  const value = { id: 12345678901234567890n, rate: new Decimal("0.12345678901234567890") };
  expect(jsonText(value)).toBe('{"id":12345678901234567890,"rate":0.12345678901234567890}');
});

test("a member named __proto__ is written", () => {
  expect(jsonText(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
});

test("sorted, equal objects have equal texts whatever the order of their members", () => {
  const one = jsonText({ b: 1, a: { d: [1, 2], c: null } }, { sorted: true });
  const other = jsonText({ a: { c: null, d: [1, 2] }, b: 1 }, { sorted: true });
  expect(one).toBe('{"a":{"c":null,"d":[1,2]},"b":1}');
  expect(other).toBe(one);
});

test("what is nested a hundred thousand levels deep does not overflow the stack", () => {
  let value: JsonValue = [];
  for (let level = 0; level < 100_000; level++) value = [value];
  expect(jsonText(value)).toHaveLength(200_002);
});
