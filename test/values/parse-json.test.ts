import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../packages/core/src/base/limits.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonObject } from "../../packages/core/src/values/json.ts";
import { parseJson } from "../../packages/core/src/values/parse-json.ts";

describe("numbers in JSON (P9)", () => {
  test.each([
    ["0", 0],
    ["-12.5e2", -1250],
    ["123456789012345", 123456789012345],
    ["9007199254740992", 9007199254740992],
    ["9007199254740993", 9007199254740993n],
    ["-9007199254740993", -9007199254740993n],
    ["12345678901234567890", 12345678901234567890n],
    ["0.1234567890123456789", new Decimal("0.1234567890123456789")],
    ["0.1000000000000000000", 0.1],
    ["1e400", new Decimal("1e400")],
    ["1e-400", new Decimal("1e-400")],
    ["1.5e300", 1.5e300],
    ["0.000e999", 0],
    ["9007199254740993.5", new Decimal("9007199254740993.5")],
    ["9".repeat(50), BigInt("9".repeat(50))],
    ["9".repeat(101), new Decimal("9".repeat(101))],
  ])("the number %s is read exactly", (text, value) => {
    expect(parseJson(text)).toEqual(value);
    expect(parseJson(`{"a":[1,{"id":${text}},2]}`)).toEqual({ a: [1, { id: value }, 2] });
  });

  test("a long number is read exactly wherever it stands in the text", () => {
    for (let padding = 0; padding < 40; padding += 1) {
      const text = `{"${"p".repeat(padding)}":1234567890123457.1}`;
      expect(Object.values(parseJson(text) as JsonObject)).toEqual([
        new Decimal("1234567890123457.1"),
      ]);
    }
  });

  test("numbers of any length and exponent are read exactly", () => {
    const digits = fc.stringMatching(/^(0|[1-9]\d{0,24})$/);
    const fraction = fc.stringMatching(/^(\.\d{1,24})?$/);
    const exponent = fc.stringMatching(/^([eE][+-]?\d{1,3})?$/);
    fc.assert(
      fc.property(digits, fraction, exponent, (whole, part, power) => {
        const text = `${whole}${part}${power}`;
        expect(sameNumber(String(parseJson(` ${text}`)), text)).toBe(true);
      }),
    );
  });
});

test("digits in a string stay a string", () => {
  const body = { a: "1234567890123456789", b: 'x:1e999,"\\', c: "12345.67890.12345.6789" };
  expect(parseJson(JSON.stringify(body))).toEqual(body);
});

test.each([
  ["beside small numbers", '{"__proto__":{"x":1},"b":2}', '{"x":1}'],
  ["beside big ones", '{"__proto__":{"x":1},"b":9007199254740993}', '{"x":1}'],
  ["in an escaped spelling", '{"_\\u005Fpr\\u006fto__" : "x","b":9007199254740993}', '"x"'],
  ["deep inside", '[{"b":9007199254740993,"c":0}, {"__proto__":null}]', undefined],
])("a member named __proto__ is kept as data %s", (_, text, value) => {
  const body = parseJson(text) as JsonObject;
  const holder = value === undefined ? (body as unknown as JsonObject[])[1] : body;
  expect(Object.getPrototypeOf(holder)).toBe(Object.prototype);
  const protoMember = Object.getOwnPropertyDescriptor(holder, "__proto__");
  expect(JSON.stringify(protoMember?.value)).toBe(value ?? "null");
});

test("a text that mentions __proto__ is not changed", () => {
  const text = '{"a":"say \\"__proto__\\": hi","b":9007199254740993,"x\\"__proto__":1}';
  expect(parseJson(text)).toEqual({
    a: 'say "__proto__": hi',
    b: 9007199254740993n,
    'x"__proto__': 1,
  });
});

test("the last of two members with the same name counts, beside big numbers and without", () => {
  expect(parseJson('{"a":1,"a":2}')).toEqual({ a: 2 });
  expect(parseJson('{"a":1,"a":9007199254740993}')).toEqual({ a: 9007199254740993n });
});

test("a nesting of 100,000 levels does not overflow the stack", () => {
  const deep = `${"[".repeat(100_000)}9007199254740993,{"__proto__":1}${"]".repeat(100_000)}`;
  expect(Array.isArray(parseJson(deep))).toBe(true);
});

describe("the limit of values (P10)", () => {
  const list = (count: number, element: string) => `[${Array(count).fill(element).join()}]`;

  test.each([
    ["lists", "[]", 1 / 2],
    ["objects", "{}", 1 / 2],
    ["numbers", "0", 1],
  ])("a text with too many %s is refused before any of them is made", (_, element, share) => {
    const most = limits.values * share;
    expect(parseJson(list(most - 1, element))).toHaveLength(most - 1);
    expect(() => parseJson(list(most + 1, element))).toThrow(RangeError);
  });

  test("commas and brackets in a string do not count as values", () => {
    const text = '\\",[{'.repeat(limits.values);
    expect(parseJson(JSON.stringify([text]))).toEqual([text]);
  });
});

test.each([
  '{"token":"s3cret-token',
  "s3cret-token",
  '{"a":9007199254740993,"b":s3cret-token}',
])("the error for broken JSON does not quote it: %s", (text) => {
  expect(() => parseJson(text)).toThrow(/^not valid JSON$/);
});

/** Compares two decimal texts by shifting both to integers. */
function sameNumber(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => {
    const [, sign = "", whole = "", part = "", power = "0"] =
      /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    return { value: BigInt(sign + whole + part), scale: Number(power) - part.length };
  }) as [{ value: bigint; scale: number }, { value: bigint; scale: number }];
  const scale = Math.min(x.scale, y.scale);
  return x.value * 10n ** BigInt(x.scale - scale) === y.value * 10n ** BigInt(y.scale - scale);
}
