import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  hideSecrets,
  hideSecretsIn,
  isHiddenValue,
  registerSecret,
  openRedactor,
} from "../../packages/core/src/secrets/redact.ts";
import { CANARY } from "../extract/fixtures.ts";
import { carries } from "../support/canary.ts";
import { cpuTime } from "../support/cpu.ts";

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

test.each([
  "&amp;",
  "&#38;",
  "%26",
  "%2526",
  "&",
])("nothing stays of a last character as %s (P15)", (end) => {
  const { learn, quote } = openRedactor();
  learn("canary-key&");
  expect(quote(`<p>canary-key${end}</p>`)).toBe("<p>[secret]</p>");
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

describe("everything that this process prints and stores (P15)", () => {
  test("has no learned value, wherever it was learned", () => {
    openRedactor().learn("learned-in-a-request");
    registerSecret("learned-from-the-store");
    expect(hideSecrets("a learned-in-a-request b learned-from-the-store")).toBe("a [secret] b [secret]");
  });

  test("has values of less than six characters: those are hidden in quotes alone", () => {
    const { learn, quote } = openRedactor();
    learn("12345");
    expect([quote("12345 rows"), hideSecrets("12345 rows")]).toEqual(["[secret] rows", "12345 rows"]);
  });

  test("has its own names, and no value in any other text, also in names", () => {
    registerSecret("help_desk");
    const report = { source: "help_desk", n: 1, error: { help_desk: ["a help_desk", null] } };
    expect(hideSecretsIn(report)).toEqual({
      source: "help_desk",
      n: 1,
      error: { "[secret]": ["a [secret]", null] },
    });
  });

  test("is not hidden twice by a value such as `secret`", () => {
    registerSecret("a-long-value");
    registerSecret("secret");
    expect(hideSecrets("a-long-value, secret")).toBe("[secret], [secret]");
  });

  test("knows a value that is all of a text", () => {
    registerSecret("value/1");
    expect(["value/1", "value%2F1", "value/12", "[secret]"].map(isHiddenValue)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test.each([
    "\\",
    "%25",
    "a",
    "A-",
    "canary-",
    "é",
  ])("takes no time over a megabyte of %j", (piece) => {
    registerSecret(`${"\\".repeat(20)}x`);
    registerSecret("canary-canary-canary-x");
    const text = piece.repeat(2 ** 20 / piece.length);
    expect(cpuTime(() => hideSecrets(text))).toBeLessThan(2_000);
  });

  const encodings: ((value: string) => string)[] = [
    (value) => value,
    (value) => new URLSearchParams([["k", value]]).toString(),
    (value) => new URL(`http://a/?k=${new URLSearchParams([["", value]])}#`).href,
    // As Python quotes a path: a slash stays.
    (value) => new URLSearchParams([["", value]]).toString().replaceAll("%2F", "/"),
    (value) => JSON.stringify(JSON.stringify({ k: value })),
    ...["", "u", "u:"].flatMap((before) =>
      (["base64", "base64url", "hex"] as const).map(
        (encoding) => (value: string) => Buffer.from(`${before}${value}!`).toString(encoding),
      ),
    ),
    (value) => Buffer.from(JSON.stringify({ a: 1, k: value })).toString("base64"),
  ];

  test("hides any value in any encoding, in any text, and a second time changes nothing", () => {
    const values = fc.string({ unit: "grapheme", minLength: 6, maxLength: 40 });
    const around = fc.string({ maxLength: 10 });
    fc.assert(
      fc.property(
        values,
        fc.constantFrom(...encodings),
        around,
        around,
        (value, encode, before, behind) => {
          registerSecret(value);
          const hidden = hideSecrets(`${before} ${encode(value)} ${behind}`);
          return !carries(hidden.replaceAll("[secret]", " "), [value]) && hideSecrets(hidden) === hidden;
        },
      ),
      { numRuns: 400, seed: 7 },
    );
  });
});
