import { describe, expect, it } from "vitest";
import { carriesValue, findLeaks, guardSecret, recordOutput } from "./support/canary.ts";

// The canary watches the whole suite. These tests show that it notices a leak.

const SECRET = 'sing "möwe"/4+7=?';

const encodings: [string, string][] = [
  ["as it is", SECRET],
  ["in a URL", encodeURIComponent(SECRET)],
  ["in a URL twice", encodeURIComponent(encodeURIComponent(SECRET))],
  ["in a form", new URLSearchParams({ a: SECRET }).toString()],
  ["in JSON", JSON.stringify({ a: SECRET })],
  ["in JSON in JSON", JSON.stringify(JSON.stringify({ a: SECRET }))],
  ["in JSON as Python writes it", '"sing \\"m\\u00f6we\\"/4+7=?"'],
  ["in JSON as PHP writes it", '"sing \\"m\\u00f6we\\"\\/4+7=?"'],
  ["in HTML", "sing &quot;möwe&quot;/4+7=?"],
  ...["", "a", "ab", "abc"].flatMap((before): [string, string][] => [
    [`in base64 after "${before}"`, Buffer.from(`${before}${SECRET}z`).toString("base64")],
    [`in base64url after "${before}"`, Buffer.from(`${before}${SECRET}z`).toString("base64url")],
  ]),
  ["in base64 in a URL", encodeURIComponent(Buffer.from(`u:${SECRET}`).toString("base64"))],
  ["in hexadecimal", Buffer.from(SECRET).toString("hex").toUpperCase()],
];

describe("the canary", () => {
  it.each(encodings)("the canary sees a secret %s", (_, text) => {
    expect(carriesValue(`before ${text} after`, [SECRET])).toBe(true);
  });

  it("the canary sees no secret in a text without one", () => {
    expect(carriesValue("sing [secret] %zz \\u00 &amp; bm90aGluZyBoZXJl", [SECRET])).toBe(false);
  });

  it("the canary names each sink with a secret once", () => {
    guardSecret(SECRET);
    recordOutput("log", "nothing");
    recordOutput("state table", `before ${SECRET}`);
    expect(findLeaks({ isPlanted: true })).toEqual(["state table"]);
    expect(findLeaks({ isPlanted: true })).toEqual([]);
  });
});
