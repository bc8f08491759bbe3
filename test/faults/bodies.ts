import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { type Fault, sendAnswer } from "../support/faults.ts";
import { brokenJson, type FaultCase, MIB, pageOf, secondPage } from "./fault-case.ts";

const encoded = (encoding: string, body: Uint8Array | string): Fault =>
  sendAnswer(body, { "content-encoding": encoding });
const bodyError = (problem: string): Partial<FaultCase> => ({
  error: ["extract.body", `GET /rows answered 200 with ${problem}`],
});
const decompressionError = (name: string): Partial<FaultCase> => ({
  error: ["extract.body", `GET /rows answered with ${name} data that is broken or ended early`],
  isRetried: true,
});
const sizeError = (problem: string): Partial<FaultCase> => ({
  error: ["extract.size", `GET /rows answered with ${problem}`],
});
const selectorError = (finding: string): Partial<FaultCase> => ({
  error: [
    "extract.selector",
    `the answer to GET /rows has nothing at data_selector "data"; ${finding}`,
  ],
});
const statusError = (message: string, code = "extract.status"): Partial<FaultCase> => ({
  error: [code, `GET /rows answered ${message}`],
});
const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le");
const latin1 = Buffer.from('{"data":[{"id":3,"name":"Zo\xeb"}]}', "latin1");
const jsonType = (charset: string) => ({ "content-type": `application/json; charset=${charset}` });

/** Faults of an answer: its compression, its text, its shape and its status. */
export const bodies: FaultCase[] = [
  {
    fault: "sends a gzip bomb of 1 GiB in many members",
    answer: encoded(
      "gzip",
      Buffer.concat(Array(103).fill(gzipSync(Buffer.alloc(10 * MIB, " "), { level: 1 }))),
    ),
    ...sizeError("more than 64 MiB"),
  },
  {
    fault: "sends a brotli bomb",
    answer: encoded("br", brotliCompressSync(Buffer.alloc(40 * MIB, " "))),
    ...sizeError("what unpacks to more than 500 times its size"),
  },
  {
    fault: "sends 65 MiB without compression",
    answer: sendAnswer(Buffer.alloc(65 * MIB, " ")),
    ...sizeError("more than 64 MiB"),
  },
  {
    fault: "sends gzip in several members",
    answer: encoded(
      "gzip",
      Buffer.concat([gzipSync(secondPage.slice(0, 9)), gzipSync(secondPage.slice(9))]),
    ),
  },
  { fault: "sends deflate", answer: encoded("deflate", deflateSync(secondPage)) },
  {
    fault: "sends deflate without its header",
    answer: encoded("deflate", deflateRawSync(secondPage)),
  },
  { fault: "declares the encoding identity", answer: encoded("identity", secondPage) },
  { fault: "leaves Content-Encoding empty", answer: encoded("", secondPage) },
  {
    fault: "ends its gzip data early",
    answer: encoded("gzip", gzipSync(secondPage).subarray(0, 20)),
    ...decompressionError("gzip"),
  },
  {
    fault: "ends its brotli data early",
    answer: encoded("br", brotliCompressSync(secondPage).subarray(0, 20)),
    ...decompressionError("br"),
  },
  {
    fault: "sends other bytes after the gzip data",
    answer: encoded("gzip", Buffer.concat([gzipSync(secondPage), Buffer.from("garbage")])),
    ...decompressionError("gzip"),
  },
  {
    fault: "declares gzip and sends plain JSON",
    answer: encoded("gzip", secondPage),
    ...decompressionError("gzip"),
  },
  {
    fault: "sends gzip without declaring it",
    answer: sendAnswer(gzipSync(secondPage)),
    ...bodyError("gzip data that no Content-Encoding names"),
  },
  {
    fault: "compresses twice and declares it once",
    answer: encoded("gzip", gzipSync(gzipSync(secondPage))),
    ...bodyError("gzip data that no Content-Encoding names"),
  },
  {
    fault: "compresses twice and declares it twice",
    answer: encoded("gzip, gzip", gzipSync(gzipSync(secondPage))),
    ...statusError("compressed in gzip, gzip, which nobody asked for", "extract.body"),
  },
  {
    fault: "compresses in a way that was not asked for",
    answer: encoded("zstd", secondPage),
    ...statusError("compressed in zstd, which nobody asked for", "extract.body"),
  },

  { fault: "begins with a byte order mark", answer: sendAnswer(`\ufeff${secondPage}`) },
  { fault: "declares latin1 and sends ASCII", answer: sendAnswer(secondPage, jsonType("latin1")) },
  {
    fault: "sends a byte that is not UTF-8",
    answer: sendAnswer(latin1),
    ...bodyError("text that is not UTF-8"),
  },
  {
    fault: "sends latin1 and declares it",
    answer: sendAnswer(latin1, jsonType("ISO-8859-1")),
    ...bodyError("text that is not UTF-8 but ISO-8859-1"),
  },
  {
    fault: "sends UTF-16 with a byte order mark",
    answer: sendAnswer(utf16(`\ufeff${secondPage}`)),
    ...bodyError("text in UTF-16"),
  },
  {
    fault: "sends UTF-16 without a byte order mark",
    answer: sendAnswer(utf16(secondPage).swap16()),
    ...bodyError("text in UTF-16"),
  },
  {
    fault: "sends UTF-32",
    answer: sendAnswer(Buffer.from([...secondPage].flatMap((one) => [one.charCodeAt(0), 0, 0, 0]))),
    ...bodyError("text in UTF-32"),
  },

  { fault: "answers with an empty body", answer: sendAnswer(""), ...bodyError("an empty body") },
  { fault: "answers with blanks", answer: sendAnswer(" \r\n"), ...bodyError("an empty body") },
  {
    fault: "answers with an HTML page",
    answer: sendAnswer("<!DOCTYPE html>\n<title>Log in</title>", { "content-type": "text/html" }),
    ...bodyError("an HTML page, not JSON: <!DOCTYPE html> <title>Log in</title>"),
  },
  {
    fault: "declares an HTML page as JSON",
    answer: sendAnswer("<html>\u0007<b>Down</b>", { "content-type": "application/json" }),
    ...bodyError("an HTML page, not JSON: <html> <b>Down</b>"),
  },
  {
    fault: "answers with plain text",
    answer: sendAnswer("Try again later"),
    ...bodyError("something that is not JSON: Try again later"),
  },
  {
    fault: "answers with JSON lines",
    answer: sendAnswer('{"id":3}\n{"id":4}\n'),
    ...bodyError("JSON lines"),
  },
  {
    fault: "sends NaN, which only JavaScript reads",
    answer: sendAnswer(pageOf('{"id":3,"share":NaN}')),
    error: ["extract.body", brokenJson],
    isRetried: true,
  },
  {
    fault: "sends text after the JSON",
    answer: sendAnswer(`${secondPage} bye`),
    error: ["extract.body", brokenJson],
    isRetried: true,
  },
  {
    fault: "answers 200 with an error",
    answer: sendAnswer('{"error":{"message":"quota exceeded"}}'),
    ...selectorError('the body has: error; it says {"error":{"message":"quota exceeded"}}'),
  },
  {
    fault: "answers 200 with an error and an empty list",
    answer: sendAnswer('{"ok":false,"error":"ratelimited","data":[]}'),
    error: [
      "extract.selector",
      'the answer to GET /rows has no records; it says {"ok":false,"error":"ratelimited","data":[]}',
    ],
  },
  {
    fault: "answers 200 with an error, where the config has no data_selector",
    answer: sendAnswer('{"error":"quota exceeded"}'),
    endpoint: { data_selector: undefined },
    isFirstPage: true,
    error: [
      "extract.selector",
      'the answer to GET /rows has no records; the body has: error; it says {"error":"quota exceeded"}',
    ],
  },
  {
    fault: "answers 200 with a list of errors, where the config has no data_selector",
    answer: sendAnswer('{"errors":[{"message":"no such field"}],"data":null}'),
    endpoint: { data_selector: undefined },
    isFirstPage: true,
    error: [
      "extract.selector",
      'the answer to GET /rows has no records; the body has: errors, data; it says {"errors":[{"message":"no such field"}],"data":null}',
    ],
  },
  { fault: "answers with null", answer: sendAnswer("null"), ...selectorError("the body is null") },
  {
    fault: "answers with one number",
    answer: sendAnswer("42"),
    ...selectorError("the body is 42"),
  },

  {
    fault: "redirects to another host",
    answer: sendAnswer("", { location: "http://127.0.0.2:9/x?key=1" }, "302 Found"),
    ...statusError("302, a redirect to http://127.0.0.2:9/x", "extract.redirect"),
  },
  {
    fault: "redirects in a circle",
    answer: (socket, { target }) =>
      sendAnswer("", { location: target }, "302 Found")(socket, { target, head: "" }),
    ...statusError("302, a redirect to $api/rows", "extract.redirect"),
  },
  {
    fault: "redirects without an address",
    answer: sendAnswer("", {}, "302 Found"),
    ...statusError("302, a redirect to no address", "extract.redirect"),
  },
  {
    fault: "answers 304",
    answer: sendAnswer("", {}, "304 Not Modified"),
    ...statusError("304"),
  },
  {
    fault: "answers 503 and declares gzip that it does not send",
    answer: sendAnswer("busy", { "content-encoding": "gzip" }, "503 Busy"),
    ...statusError("503"),
    isRetried: true,
  },
  {
    fault: "answers with a status that HTTP does not have",
    answer: sendAnswer("denied", {}, "999 Denied"),
    ...statusError("999: denied"),
  },
  {
    fault: "answers 206 with a whole page",
    answer: sendAnswer(secondPage, { "content-range": "rows 2-3/4" }, "206 Partial Content"),
  },
];
