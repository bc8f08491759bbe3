import fc from "fast-check";
import { describe, expect } from "vitest";
import { hideSecrets, registerSecret, openRedactor } from "../../packages/core/src/secrets/redact.ts";
import { anyText, fuzz } from "../support/fuzz.ts";

// Whatever an API makes of a credential.

const characters = [..."abcXYZ0189", ..."-._~+/=!$&'()*,;:@%\"<>\\ #?|{}[]^`", "é", "ß", "😀"];
const secret = fc.string({ unit: fc.constantFrom(...characters), minLength: 8, maxLength: 40 });
/** A container meets a few. */
const secrets = fc.sample(secret, { numRuns: 25, seed: 7 });
for (const one of secrets) registerSecret(one);

const json = (text: string) => JSON.stringify(text).slice(1, -1);
const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string) =>
  json(text).replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** As URLs, forms, JSON, HTML and headers write it. */
const encodings: ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  (text) => new URLSearchParams([["", text]]).toString().slice(1),
  json,
  (text) => json(text).replaceAll("/", "\\/"),
  escaped,
  (text) => text.replace(/[&<>"]/g, (one) => entities[one] ?? one),
  (text) => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`),
  base64,
  (text) => Buffer.from(text).toString("base64url"),
  (text) => encodeURIComponent(base64(text)),
  (text) => json(json(text)),
  (text) => encodeURIComponent(encodeURIComponent(text)),
  (text) => json(encodeURIComponent(text)),
];

const places = fc.tuple(fc.constantFrom(...secrets), fc.constantFrom(...encodings));
const edges = fc.constantFrom("", " ", "key=", '{"key":"', "&", ">", "\n", ": ");
const around = fc.tuple(anyText, edges, edges, anyText);

describe("a secret", () => {
  fuzz(
    "does not survive, in whatever encoding and among whatever text",
    4000,
    fc.tuple(places, around),
    ([[one, encode], [before, open, close, after]]) => {
      const form = encode(one);
      const text = before + open + form + close + after;
      for (const told of [hideSecrets(text), openRedactor().quote(text)]) {
        expect(told).not.toContain(one);
        expect(told).not.toContain(form);
      }
      // Of a last character that was encoded twice, the end may stay: it tells nothing.
      const told = hideSecrets(open + form + close);
      expect(told.slice(0, open.length + 8)).toBe(`${open}[secret]`);
      expect(told.slice(open.length + 8, told.length - close.length)).toMatch(/^.{0,6}$/);
    },
  );

  const headers = fc.tuple(
    fc.constantFrom(...secrets),
    fc.stringMatching(/^[a-z]{0,5}:?$/),
    anyText,
  );
  fuzz("does not survive within other bytes in base64", 2000, headers, ([one, user, more]) => {
    const told = hideSecrets(`Basic ${base64(user + one + more)}`);
    for (const [piece] of told.matchAll(/[\w+/-]{8,}={0,2}/g)) {
      expect(Buffer.from(piece, "base64").toString("latin1")).not.toContain(one.slice(2, -2));
    }
    expect(told).toContain("[secret]");
  });

  fuzz("that is not there changes nothing", 3000, anyText, (text) => {
    expect(hideSecrets(text)).toBe(text);
  });
});
