import fc from "fast-check";
import { describe, expect } from "vitest";
import {
  hideSecrets,
  openRedactor,
  registerSecret,
} from "../../packages/core/src/secrets/redact.ts";
import { anyText, fuzz } from "../support/fuzz.ts";

// Arbitrary encodings of a credential.

const characters = [..."abcXYZ0189", ..."-._~+/=!$&'()*,;:@%\"<>\\ #?|{}[]^`", "é", "ß", "😀"];
const secret = fc.string({ unit: fc.constantFrom(...characters), minLength: 8, maxLength: 40 });
/** The number of secrets that a container meets is small. */
const secrets = fc.sample(secret, { numRuns: 25, seed: 7 });
for (const value of secrets) registerSecret(value);

const json = (text: string) => JSON.stringify(text).slice(1, -1);
const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeNonAscii = (text: string) =>
  json(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** The encodings of URLs, forms, JSON, HTML and headers. */
const encodings: ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  (text) => new URLSearchParams([["", text]]).toString().slice(1),
  json,
  (text) => json(text).replaceAll("/", "\\/"),
  escapeNonAscii,
  (text) => text.replace(/[&<>"]/g, (character) => entities[character] ?? character),
  (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
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
    "no encoding and no surrounding text reveals a secret",
    4000,
    fc.tuple(places, around),
    ([[value, encode], [before, open, close, after]]) => {
      const form = encode(value);
      const text = before + open + form + close + after;
      for (const output of [hideSecrets(text), openRedactor().quoteText(text)]) {
        expect(output).not.toContain(value);
        expect(output).not.toContain(form);
      }
      // The end of a last character that was encoded twice may stay, because it reveals nothing.
      const hidden = hideSecrets(open + form + close);
      expect(hidden.slice(0, open.length + 8)).toBe(`${open}[secret]`);
      expect(hidden.slice(open.length + 8, hidden.length - close.length)).toMatch(/^.{0,6}$/);
    },
  );

  const headers = fc.tuple(
    fc.constantFrom(...secrets),
    fc.stringMatching(/^[a-z]{0,5}:?$/),
    anyText,
  );
  fuzz(
    "base64 of a secret within other bytes does not reveal the secret",
    2000,
    headers,
    ([value, user, suffix]) => {
      const hidden = hideSecrets(`Basic ${base64(user + value + suffix)}`);
      for (const [piece] of hidden.matchAll(/[\w+/-]{8,}={0,2}/g)) {
        expect(Buffer.from(piece, "base64").toString("latin1")).not.toContain(value.slice(2, -2));
      }
      expect(hidden).toContain("[secret]");
    },
  );

  fuzz("a text without a secret stays unchanged", 3000, anyText, (text) => {
    expect(hideSecrets(text)).toBe(text);
  });
});
