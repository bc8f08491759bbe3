import { RequestError } from "../base/errors.ts";
import { Decimal } from "../values/decimal.ts";
import type { JsonValue } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";

/*
 * A value of a record, of an API that nobody controls, stays a value where a template puts it: it adds
 * no parameter, no segment of a path, no member and no line of a query.
 */

/** Encodes a value for the place after `before`, the text of the template up to it. */
export type EncodeValue = (value: JsonValue, before: string) => string;

/** The value as text, for places that encode the whole text. */
export const encodePlainly: EncodeValue = (value) => {
  const isScalar = typeof value !== "object" || value === null || value instanceof Decimal;
  if (isScalar) return String(value);
  throw valueError(
    `in is ${Array.isArray(value) ? "a list" : "an object"}`,
    "name a field with a string or a number",
  );
};

/** A segment of the path, or the value of a parameter behind the question mark. */
export const encodeForUrl: EncodeValue = (value, before) => {
  const text = encodePlainly(value, before);
  const isInQuery = before.includes("?");
  // A URL parser resolves dots, however they are written. Some servers cut a segment at a semicolon.
  const isDots = !isInQuery && /^\.{1,2}(?:;|$)/.test(text);
  if (isDots || /\p{Surrogate}/u.test(text)) {
    throw valueError(
      "into the path is . or .. or no Unicode text",
      "name a field that identifies the record",
    );
  }
  const kept = isInQuery ? /%(?:3A|40|24|2C)/g : /%(?:3A|40|24|26|2B|2C|3B|3D)/g;
  return encodeURIComponent(text).replace(kept, decodeURIComponent);
};

/** A body that the config writes as a string. Its content type says what it is, or else its beginning. */
export function bodyEncoder(contentType: string | undefined, body: string): EncodeValue {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? guessType(body);
  if (type.endsWith("graphql")) return encodeForGraphql;
  if (type.endsWith("json")) return encodeForJson;
  if (type.endsWith("xml") || type === "text/html") return encodeForXml;
  return type === "application/x-www-form-urlencoded" ? encodeForForm : encodePlainly;
}

function guessType(body: string): string {
  const start = body.trimStart();
  if (isGraphql(start) && !/^\{\s*(?:"|\})/.test(start)) return "application/graphql";
  if (/^[[{]/.test(start)) return "application/json";
  if (start.startsWith("<")) return "application/xml";
  return /^[^\s=&]+=/.test(start) ? "application/x-www-form-urlencoded" : "text/plain";
}

/** Says whether a text is a query in GraphQL, as it stands in the member `query` of a request. */
export const isGraphql = (text: string): boolean =>
  /^\s*(?:\{|(?:query|mutation|subscription|fragment)\b[^{]*\{)/.test(text);

const encodeForForm: EncodeValue = (value, before) =>
  new URLSearchParams([["", encodePlainly(value, before)]]).toString().slice(1);

/** Within quotes a part of the string; outside of them a whole value. */
const encodeForJson: EncodeValue = (value, before) =>
  isInQuotes(before)
    ? JSON.stringify(encodePlainly(value, before)).slice(1, -1)
    : jsonText(value ?? null);

/** Within quotes a part of the string; outside of them a number or a name. */
export const encodeForGraphql: EncodeValue = (value, before) => {
  const text = encodePlainly(value, before);
  if (isInQuotes(before)) return JSON.stringify(text).slice(1, -1);
  if (/^[\w.+-]+$/.test(text)) return text;
  throw valueError(
    "into GraphQL has other characters than letters, digits, _ . + and -",
    "put quotes round it in the query, or send it in `variables`",
  );
};

const xmlEntities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

const encodeForXml: EncodeValue = (value, before) =>
  encodePlainly(value, before).replace(/[&<>"']/g, (character) => xmlEntities[character] ?? "");

/** Says whether a text ends inside of a string. */
function isInQuotes(text: string): boolean {
  const quotes = text.replace(/\\./gs, "").match(/"/g) ?? [];
  return quotes.length % 2 === 1;
}

const valueError = (problem: string, hint: string) =>
  new RequestError({
    code: "extract.parent_value",
    message: `a value to fill ${problem}`,
    hint,
    retryable: false,
  });
