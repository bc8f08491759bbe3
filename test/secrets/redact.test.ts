import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hideValues } from "../../packages/core/src/secrets/hide.ts";
import {
  hideSecrets,
  hideSecretsIn,
  isHiddenValue,
  openRedactor,
  registerSecret,
  safeLine,
} from "../../packages/core/src/secrets/redact.ts";
import { SecretSet } from "../../packages/core/src/secrets/secret-set.ts";
import { CANARY } from "../extract/fixtures.ts";
import { carriesValue } from "../support/canary.ts";
import { cpuTime } from "../support/cpu.ts";

test.each([
  ["as it is", CANARY],
  ["in a URL", encodeURIComponent(CANARY)],
  ["in a URL in lower case", encodeURIComponent(CANARY).toLowerCase()],
  ["in a form", new URLSearchParams({ k: CANARY }).toString().slice(2)],
  ["in JSON", JSON.stringify(CANARY).slice(1, -1)],
  ["in base64", Buffer.from(CANARY).toString("base64")],
])("a registered value is hidden %s (P15)", (_, form) => {
  const { addSecret, quoteText } = openRedactor();
  expect(addSecret(CANARY)).toBe(CANARY);
  expect(quoteText(`key ${form}!`)).toBe("key [secret]!");
});

test.each([
  ["in base64 with line breaks, as MIME wraps it", "Y2Fu\r\nYXJ5\r\nLWtl\r\neQ=="],
  ["in base64 with line breaks inside of JSON", "Y2FuYXJ5\\nLWtleQ=="],
  ["with characters that nobody sees", "can\u200bary\u00ad-\u2060key"],
  ["with HTML's soft hyphens", "can&shy;ary-&#8203;key"],
  ["with decimal entities", "canary&#45;key"],
  ["with hexadecimal entities", "canary&#x2D;key"],
  ["with \\x", "canary\\x2dkey"],
  ["with \\u", "\\u0063anary\\u002Dkey"],
  ["in a URL inside of a URL", "canary%252dkey"],
  ["in mail", "can=\r\nary=2Dkey"],
  ["in hexadecimal digits", "63616E6172792d6b6579"],
  ["in base64 of a URL", Buffer.from("canary%2Dkey").toString("base64")],
  ["over two lines", "canary\n-key"],
  ["in a header that is folded", "canary\r\n    -key"],
  ["in YAML that is folded", "canary-\n\tkey"],
  ["in a form, over two lines", "canary%0A++-key"],
  ["in the middle of an escape, over two lines", "canary%2\n  Dkey"],
  ["with tag characters", "ca\u{e0001}nary\u{e0041}\u{e007f}-key"],
  ["with variation selectors", "canary\ufe0f-\u{e0100}key"],
  ["with Hangul fillers", "ca\u115fn\u1160ary\u3164-\uffa0key"],
  ["with marks above its letters", "ca\u0301nary-ke\u0489y"],
  ["in wide letters", "ｃａｎａｒｙ－ｋｅｙ"],
  ["in wide letters of UTF-16 in base64", Buffer.from("canary-key", "utf16le").toString("base64")],
  ["in hexadecimal digits with colons", "63:61:6E:61:72:79:2d:6b:65:79"],
  ["in hexadecimal digits with blanks", "63 61 6E 61 72 79 2d 6b 65 79"],
  ["in hexadecimal digits with dashes", "63-61-6E-61-72-79-2d-6b-65-79"],
  ["as a list of bytes", JSON.stringify([...Buffer.from("canary-key")])],
  ["as a list of bytes in C", "0x63, 0x61, 0x6e, 0x61, 0x72, 0x79, 0x2d, 0x6b, 0x65, 0x79"],
  ["with decimal entities without a semicolon", "&#99&#97nary&#45key"],
  ["with hexadecimal entities without a semicolon", "canary&#x2dkey"],
  ["with entities before digits, without a semicolon", "ca&#x6eary-k&#x65y"],
  ["with blanks between entities", "&#99 &#97 &#110 &#97 &#114 &#121 &#45 &#107 &#101 &#121"],
  ["with colours of a terminal", "ca\u001b[1;31mnary\u001b[0m-key"],
  ["with colours of a terminal in JSON", "ca\\u001b[1;31mnary\\u001b[0m-key"],
  ["with C1 control characters", "ca\u009b31mnary-\u0085key"],
  ["in the link of a terminal", "\u001b]8;;http://a/?k=canary-key\u0007"],
  ["with tags of HTML", "can<wbr>ary<b>-</b>key"],
  ["with escapes of CSS", "canary\\2d key"],
])("a value is hidden %s (P15)", (_, form) => {
  const { addSecret, quoteText } = openRedactor();
  addSecret("canary-key");
  expect(quoteText(`<p>${form}!`)).toMatch(/^<p>.{0,24}\[secret\].{0,2}!$/);
});

test.each([
  ["50%abcd%2Fefgh!", "50%[secret]!"],
  ["\\abcd\\/efgh!", "\\[secret]!"],
  ["C:\\abcd\\x2fefgh!", "C:\\[secret]!"],
])("a value directly behind a sign that belongs to no escape is hidden: %s (P15)", (text, hidden) => {
  const { addSecret, quoteText } = openRedactor();
  addSecret("abcd/efgh");
  expect(quoteText(text)).toBe(hidden);
});

test.each([
  ["Key is\n  not valid: 12, 13 & 14 of 99% <b>used</b>\u001b[0m"],
  ["the canary sings, the key fits; canary - and a key"],
])("blanks and markup between words do not make a text a value: %j", (text) => {
  registerSecret("canary-key");
  expect(hideSecrets(text)).toBe(text);
});

test("a value whose characters are spread over more than a part of a long text is not shown", () => {
  registerSecret("canary-spread-key");
  const spread = [..."canary-spread-key"].join("\u200b".repeat(5_000));
  for (const length of [0, 1, 60_000, 65_530]) {
    const output = hideSecrets("x".repeat(length) + spread + "y".repeat(100_000));
    expect(output.replaceAll("\u200b", "")).not.toContain("-spread-key");
  }
});

test("a value in a quote that ends within the blanks of its padding is hidden", () => {
  const { addSecret, quoteText } = openRedactor();
  addSecret("canary-padded-key");
  expect(quoteText([..."canary-padded-key"].join("\n".repeat(1_000)))).toBe("[secret]");
});

test("a credential of 64 KB is hidden, in each encoding (P15)", () => {
  const long = Array.from({ length: 8 * 1024 }, (_, index) => `(${index}/${index * 7}]`)
    .join("")
    .slice(0, 64 * 1024);
  const { addSecret, quoteText } = openRedactor();
  addSecret(long);
  for (const form of [
    long,
    encodeURIComponent(long),
    Buffer.from(long).toString("base64"),
    JSON.stringify(JSON.stringify(long)).slice(1, -1),
  ]) {
    expect(hideSecrets(`key ${form}!`)).toMatch(/^key .{0,6}\[secret\].{0,6}!$/);
    expect(quoteText(`key ${form}!`)).toMatch(/^key .{0,6}\[secret\]/);
  }
});

test("a secret that goes on after the part of a text that is read is hidden up to its end", () => {
  const { addSecret, quoteText } = openRedactor();
  const long = Array.from({ length: 2000 }, (_, index) => index).join(".");
  addSecret(long);
  const everyCharacter = Array.from(
    long,
    (character) => `&#x${character.charCodeAt(0).toString(16)};`,
  );
  const twice = encodeURIComponent(encodeURIComponent(everyCharacter.join("")));
  expect(quoteText(`it is ${twice}`)).toBe("it is [secret]");
});

test("a text whose readings have no end is not shown, and the work stays linear in it", () => {
  registerSecret("a-secret-of-this-test");
  const readingsOf = (text: string) => {
    const work = { bytes: 0 };
    const set = new SecretSet();
    set.learn("a-secret-of-this-test");
    return { output: hideValues(text, [set], { work }), bytes: work.bytes };
  };
  const nested = (levels: number) => `%${"25".repeat(levels)}`;
  expect(readingsOf(nested(20_000)).output).toBe(
    "[not shown: it could not be searched for secrets]",
  );
  for (const piece of ["%25", "\\", "\\u005c", "&amp;", "VVVV", "=3D", "word ", "a-secret-of-"]) {
    const small = readingsOf(piece.repeat(20_000)).bytes;
    const large = readingsOf(piece.repeat(80_000)).bytes;
    expect(large / small).toBeLessThan(5);
    expect(large).toBeLessThan(128 * 80_000 * piece.length + 100_000);
  }
});

test("of a body of 64 MiB only the beginning is read", () => {
  const { addSecret, quoteText } = openRedactor();
  addSecret(CANARY);
  const body = Buffer.alloc(64 * 1024 * 1024, `${CANARY} `);
  const before = process.memoryUsage().heapUsed;
  expect(quoteText(body)).toMatch(/^\[secret\] \[secret\]/);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
});

test.each([
  ["PHP writes JSON", '\\"a\\/ü&\\"'],
  ["Python writes JSON", '\\"a/\\u00fc&\\"'],
  ["HTML shows it", "&quot;a/ü&amp;&quot;"],
])("a registered value is hidden as %s (P15)", (_, form) => {
  const { addSecret, quoteText } = openRedactor();
  addSecret('"a/ü&"');
  expect(quoteText(`key ${form}!`)).toBe("key [secret]!");
});

test.each([
  "&amp;",
  "&#38;",
  "%26",
  "%2526",
  "&",
])("no part of a value is left if its last character is written as %s (P15)", (end) => {
  const { addSecret, quoteText } = openRedactor();
  addSecret("canary-key&");
  expect(quoteText(`<p>canary-key${end}</p>`)).toBe("<p>[secret]</p>");
});

test("a value at the edge of the quote is hidden before the cut", () => {
  const { addSecret, quoteText } = openRedactor();
  addSecret(CANARY);
  expect(quoteText("x".repeat(190) + CANARY)).toBe(`${"x".repeat(190)}[secret]`);
});

test("a quote is one line of at most 200 printable characters", () => {
  const { quoteText } = openRedactor();
  expect(quoteText(" a\r\n\tb\u0000\u001b[31mc\u202ed ")).toBe("a b [31mc d");
  expect([...quoteText("😀".repeat(500))]).toHaveLength(200);
});

test("an empty value hides nothing", () => {
  const { addSecret, quoteText } = openRedactor();
  addSecret("");
  expect(quoteText("text")).toBe("text");
});

describe("secrets in the output of the process (P15)", () => {
  test("output has no registered value, wherever the value was registered", () => {
    openRedactor().addSecret("learned-in-a-request");
    registerSecret("learned-from-the-store");
    expect(hideSecrets("a learned-in-a-request b learned-from-the-store")).toBe(
      "a [secret] b [secret]",
    );
  });

  test("a value of less than six characters is hidden in quotes of an API only", () => {
    const { addSecret, quoteText } = openRedactor();
    addSecret("12345");
    expect([quoteText("12345 rows"), hideSecrets("12345 rows")]).toEqual([
      "[secret] rows",
      "12345 rows",
    ]);
  });

  test("values are hidden in every string and name of a report except tidetable's own names", () => {
    registerSecret("help_desk");
    const report = { source: "help_desk", n: 1, error: { help_desk: ["a help_desk", null] } };
    expect(hideSecretsIn(report)).toEqual({
      source: "help_desk",
      n: 1,
      error: { "[secret]": ["a [secret]", null] },
    });
  });

  test("a report and a log keep an API's words on one line, without what steers a terminal", () => {
    expect(hideSecretsIn({ error: { message: "a\n::error::b\x1b[2J\u202e\x9b" } })).toEqual({
      error: { message: "a ::error::b\\u001b[2J\\u202e\\u009b" },
    });
    expect(safeLine("a\r\nb\u2028c")).toBe("a b c");
  });

  test("a value such as `secret` does not hide a hidden value again", () => {
    registerSecret("a-long-value");
    registerSecret("secret");
    expect(hideSecrets("a-long-value, secret")).toBe("[secret], [secret]");
  });

  test("a string that consists of a value alone is recognised", () => {
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
  ])("hiding secrets in a megabyte of %j takes no time", (piece) => {
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

  test("a value is hidden in every encoding and any text, and hiding twice changes nothing", () => {
    const values = fc.string({ unit: "grapheme", minLength: 6, maxLength: 40 });
    const around = fc.string({ maxLength: 10 });
    fc.assert(
      fc.property(
        values,
        fc.constantFrom(...encodings),
        around,
        around,
        (value, encode, before, after) => {
          registerSecret(value);
          const hidden = hideSecrets(`${before} ${encode(value)} ${after}`);
          return (
            !carriesValue(hidden.replaceAll("[secret]", " "), [value]) &&
            hideSecrets(hidden) === hidden
          );
        },
      ),
      { numRuns: 400, seed: 7 },
    );
  });
});
