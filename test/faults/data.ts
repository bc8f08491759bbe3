import { answers } from "../support/faults.ts";
import { broken, data, MIB, type Row } from "./row.ts";

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const size = (what: string) => ({
  fails: ["extract.size", `GET /rows answered with ${what}`] as [string, string],
  timeout: 20,
});

/** What goes wrong in records that came in good order. */
export const records: Row[] = [
  {
    does: "opens 1,048,576 lists and closes none",
    answer: answers("[".repeat(MIB)),
    timeout: 20,
    fails: ["extract.body", broken],
    retried: true,
  },
  {
    does: "sends a megabyte of lists in lists",
    answer: answers(data(nested(MIB / 2), '{"id":4}')),
    timeout: 20,
    aside: ["record.not_object", "the record is not an object"],
    ids: ["4"],
  },
  {
    does: "sends a record of 100,000 levels",
    answer: answers(data(`{"id":3,"deep":${nested(100_000)}}`, '{"id":4}')),
    timeout: 20,
    aside: ["record.depth", "it is nested more than 32 levels deep"],
    ids: ["4"],
  },
  {
    does: "sends 2,097,153 values in a few megabytes",
    answer: answers(`[${"[],".repeat(2 * MIB)}[]]`),
    ...size("more than 2097152 values"),
  },
  {
    does: "sends 200,001 records on a page",
    answer: answers(data(`${"{},".repeat(200_000)}{}`)),
    ...size("200001 records on a page, of 200000 at most"),
  },
  {
    does: "sends half a character in a text",
    answer: answers(data('{"id":3,"name":"\\ud83d"}', '{"id":4}')),
    aside: ["record.text", "a text is not valid Unicode"],
    ids: ["4"],
  },
  {
    does: "sends half a character in a name",
    answer: answers(data('{"id":3,"\\udc00":1}', '{"id":4}')),
    aside: ["record.name", "a field's name is not valid Unicode"],
    ids: ["4"],
  },
  {
    does: "sends half a character in a key",
    answer: answers(data('{"id":"\\ud83d"}', '{"id":4}')),
    aside: ["record.text", "a text is not valid Unicode"],
    ids: ["4"],
  },
  {
    does: "sends members that are named like JavaScript's own",
    answer: answers(
      data('{"id":3,"__proto__":{"admin":true},"constructor":{"prototype":1}}', '{"id":4}'),
    ),
    // The SDK loses the other one when it reads; normalize/items.test.ts looks at the wire.
    items: [
      {
        id: { S: "3" },
        constructor: { M: { prototype: { N: "1" } } },
      },
      { id: { S: "4" } },
    ],
  },
  {
    does: "sends members twice",
    answer: answers('{"data":[{"id":1}],"data":[{"id":9,"id":3},{"id":4}]}'),
  },
  {
    does: "sends numbers of 23 digits",
    answer: answers(data('{"id":3,"n":12345678901234567890123}', '{"id":4}')),
    items: [{ id: { S: "3" }, n: { N: "12345678901234567890123" } }, { id: { S: "4" } }],
  },
  {
    does: "sends numbers of 200 digits",
    answer: answers(data(`{"id":3,"n":${"9".repeat(200)}}`, '{"id":4}')),
    aside: [
      "record.number",
      "a number does not fit: DynamoDB holds 38 digits and magnitudes from 1e-130 to 9.9e125",
    ],
    ids: ["4"],
  },
];
