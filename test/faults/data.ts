import { sendAnswer } from "../support/faults.ts";
import { brokenJson, type FaultCase, MIB, pageOf } from "./fault-case.ts";

const nestedLists = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const sizeError = (problem: string): Partial<FaultCase> => ({
  error: ["extract.size", `GET /rows answered with ${problem}`],
});

/** Faults of records in answers that are valid. */
export const records: FaultCase[] = [
  {
    fault: "opens 1,048,576 lists and closes none",
    answer: sendAnswer("[".repeat(MIB)),
    error: ["extract.body", brokenJson],
    isRetried: true,
  },
  {
    fault: "sends a megabyte of lists in lists",
    answer: sendAnswer(pageOf(nestedLists(MIB / 2), '{"id":4}')),
    rejection: ["record.not_object", "the record is not an object"],
    ids: ["4"],
  },
  {
    fault: "sends a record of 100,000 levels",
    answer: sendAnswer(pageOf(`{"id":3,"deep":${nestedLists(100_000)}}`, '{"id":4}')),
    rejection: ["record.depth", "it is nested more than 32 levels deep"],
    ids: ["4"],
  },
  {
    fault: "sends 2,097,153 values in a few megabytes",
    answer: sendAnswer(`[${"[],".repeat(2 * MIB)}[]]`),
    ...sizeError("more than 2097152 values"),
  },
  {
    fault: "sends 200,001 records on a page",
    answer: sendAnswer(pageOf(`${"{},".repeat(200_000)}{}`)),
    ...sizeError("200001 records on a page, of 200000 at most"),
  },
  {
    fault: "sends half a character in a string",
    answer: sendAnswer(pageOf('{"id":3,"name":"\\ud83d"}', '{"id":4}')),
    rejection: ["record.text", "a string is not valid Unicode"],
    ids: ["4"],
  },
  {
    fault: "sends half a character in a name",
    answer: sendAnswer(pageOf('{"id":3,"\\udc00":1}', '{"id":4}')),
    rejection: ["record.name", "a field's name is not valid Unicode"],
    ids: ["4"],
  },
  {
    fault: "sends half a character in a key",
    answer: sendAnswer(pageOf('{"id":"\\ud83d"}', '{"id":4}')),
    rejection: ["record.text", "a string is not valid Unicode"],
    ids: ["4"],
  },
  {
    fault: "sends members that are named like JavaScript's own",
    answer: sendAnswer(
      pageOf('{"id":3,"__proto__":{"admin":true},"constructor":{"prototype":1}}', '{"id":4}'),
    ),
    // The SDK loses `__proto__` when it reads; normalize/items.test.ts looks at the wire.
    items: [
      {
        id: { S: "3" },
        constructor: { M: { prototype: { N: "1" } } },
      },
      { id: { S: "4" } },
    ],
  },
  {
    fault: "sends members twice",
    answer: sendAnswer('{"data":[{"id":1}],"data":[{"id":9,"id":3},{"id":4}]}'),
  },
  {
    fault: "sends numbers of 23 digits",
    answer: sendAnswer(pageOf('{"id":3,"n":12345678901234567890123}', '{"id":4}')),
    items: [{ id: { S: "3" }, n: { N: "12345678901234567890123" } }, { id: { S: "4" } }],
  },
  {
    fault: "sends numbers of 200 digits",
    answer: sendAnswer(pageOf(`{"id":3,"n":${"9".repeat(200)}}`, '{"id":4}')),
    rejection: [
      "record.number",
      "a number does not fit: DynamoDB holds 38 digits and magnitudes from 1e-130 to 9.9e125",
    ],
    ids: ["4"],
  },
];
