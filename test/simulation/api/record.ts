import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { STAMP } from "../draw/config.ts";
import type { Level } from "../draw/levels.ts";
import type { Row, Version } from "./rows.ts";
import { stampText } from "./stamps.ts";

/** One row as it was shown. */
export interface Shown {
  row: Row;
  version: Version;
}

/**
 * A record as the API writes it: JSON as text, because what a number looks like on the wire is part
 * of the test. `turn`: some APIs write the members in another order each time.
 */
export function recordText({ row, version }: Shown, { cursor }: Level, turn = 0): string {
  const { fault, slug } = version;
  const key = {
    no_key: undefined,
    null_key: "null",
    long_key: `"${"x".repeat(3000)}"`,
  }[fault as "no_key"];
  const isKeyFault = fault === "no_key" || fault === "null_key" || fault === "long_key";
  const id = isKeyFault ? key : String(row.id);
  const slugs = {
    good: `"${row.uid}"`,
    null: "null",
    empty: `""`,
    dots: `".."`,
    absent: undefined,
  };
  const extra = {
    long_number: `"big":${"7".repeat(45)}`,
    deep: `"deep":${"[".repeat(40)}${"]".repeat(40)}`,
    surrogate: `"text":"\\ud800"`,
  }[fault as "deep"];
  const members = [
    ...(id === undefined ? [] : [`"id":${id}`]),
    `"uid":"${row.uid}"`,
    `"version":${version.n}`,
    `"${STAMP}":${JSON.stringify(stampText(version.stamp, cursor?.format ?? "iso"))}`,
    ...(slugs[slug] === undefined ? [] : [`"slug":${slugs[slug]}`]),
    `"amount":${amountOf(row, version)}`,
    `"tags":["a",null,{"n":${version.n}}]`,
    ...(extra === undefined ? [] : [extra]),
  ];
  const at = turn % members.length;
  return `{${[...members.slice(at), ...members.slice(0, at)].join(",")}}`;
}

/** What the table has to hold for a record, but for fields of its parent and `_row_id`. */
export function itemOf(
  { row, version }: Shown,
  { cursor, rows }: Level,
): Record<string, AttributeValue> {
  const hasKey = rows !== "append" && rows !== "append_keyed" && rows !== "replace_keyless";
  const stamp = stampText(version.stamp, cursor?.format ?? "iso");
  // A number in a column that is declared a timestamp becomes one.
  const isCoerced = cursor?.format === "epoch_s";
  const { fault } = version;
  const faulty: Record<string, AttributeValue | undefined> = {
    no_key: undefined,
    null_key: { NULL: true },
    long_key: { S: "x".repeat(3000) },
  };
  const isFaulty = fault !== undefined && fault in faulty;
  const sound = hasKey ? { S: String(row.id) } : { N: String(row.id) };
  const id = isFaulty ? faulty[fault] : sound;
  const slugs: Record<Version["slug"], AttributeValue | undefined> = {
    good: { S: row.uid },
    null: { NULL: true },
    empty: { S: "" },
    dots: { S: ".." },
    absent: undefined,
  };
  const slug = slugs[version.slug];
  return {
    ...(id ? { id } : {}),
    uid: { S: row.uid },
    version: { N: String(version.n) },
    [STAMP]: { S: isCoerced ? stampText(version.stamp, "iso_s").toString() : String(stamp) },
    ...(slug ? { slug } : {}),
    amount: { N: amountOf(row, version) },
    tags: { L: [{ S: "a" }, { NULL: true }, { M: { n: { N: String(version.n) } } }] },
  };
}

// More digits than a double has.
const amountOf = ({ id }: Row, { n }: Version) => `12345678901234567${id}.00${n}7`;
