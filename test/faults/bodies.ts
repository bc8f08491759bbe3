import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { answers, type Fault } from "../support/faults.ts";
import { broken, data, MIB, page, type Row } from "./row.ts";

const encoded = (encoding: string, body: Uint8Array | string): Fault =>
  answers(body, { "content-encoding": encoding });
const body = (what: string) => ({
  fails: ["extract.body", `GET /rows answered 200 with ${what}`] as [string, string],
});
const unpacked = (name: string) => ({
  fails: ["extract.body", `GET /rows answered with ${name} data that is broken or ended early`] as [
    string,
    string,
  ],
  retried: true as const,
});
const size = (what: string) => ({
  fails: ["extract.size", `GET /rows answered with ${what}`] as [string, string],
  timeout: 20,
});
const nothing = (there: string) => ({
  fails: [
    "extract.selector",
    `the answer to GET /rows has nothing at data_selector "data"; ${there}`,
  ] as [string, string],
});
const status = (message: string, code = "extract.status") => ({
  fails: [code, `GET /rows answered ${message}`] as [string, string],
});
const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le");
const latin1 = Buffer.from('{"data":[{"id":3,"name":"Zo\xeb"}]}', "latin1");
const json = (charset: string) => ({ "content-type": `application/json; charset=${charset}` });

/** What goes wrong in an answer: its compression, its text, its shape and its status. */
export const bodies: Row[] = [
  {
    does: "sends a gzip bomb of 1 GiB in many members",
    answer: encoded(
      "gzip",
      Buffer.concat(Array(103).fill(gzipSync(Buffer.alloc(10 * MIB, " "), { level: 1 }))),
    ),
    ...size("more than 64 MiB"),
  },
  {
    does: "sends a brotli bomb",
    answer: encoded("br", brotliCompressSync(Buffer.alloc(40 * MIB, " "))),
    ...size("what unpacks to more than 500 times its size"),
  },
  {
    does: "sends 65 MiB as they are",
    answer: answers(Buffer.alloc(65 * MIB, " ")),
    ...size("more than 64 MiB"),
  },
  {
    does: "sends gzip in several members",
    answer: encoded("gzip", Buffer.concat([gzipSync(page.slice(0, 9)), gzipSync(page.slice(9))])),
  },
  { does: "sends deflate", answer: encoded("deflate", deflateSync(page)) },
  { does: "sends deflate without its header", answer: encoded("deflate", deflateRawSync(page)) },
  { does: "names the encoding identity", answer: encoded("identity", page) },
  { does: "names no encoding in Content-Encoding", answer: encoded("", page) },
  {
    does: "cuts gzip off",
    answer: encoded("gzip", gzipSync(page).subarray(0, 20)),
    ...unpacked("gzip"),
  },
  {
    does: "cuts brotli off",
    answer: encoded("br", brotliCompressSync(page).subarray(0, 20)),
    ...unpacked("br"),
  },
  {
    does: "sends other bytes behind gzip",
    answer: encoded("gzip", Buffer.concat([gzipSync(page), Buffer.from("garbage")])),
    ...unpacked("gzip"),
  },
  { does: "says gzip and sends none", answer: encoded("gzip", page), ...unpacked("gzip") },
  {
    does: "sends gzip and does not say so",
    answer: answers(gzipSync(page)),
    ...body("gzip data that no Content-Encoding names"),
  },
  {
    does: "compresses twice and says it once",
    answer: encoded("gzip", gzipSync(gzipSync(page))),
    ...body("gzip data that no Content-Encoding names"),
  },
  {
    does: "compresses twice and says so",
    answer: encoded("gzip, gzip", gzipSync(gzipSync(page))),
    ...status("compressed in gzip, gzip, which nobody asked for", "extract.body"),
  },
  {
    does: "compresses in another way than it was asked to",
    answer: encoded("zstd", page),
    ...status("compressed in zstd, which nobody asked for", "extract.body"),
  },

  { does: "begins with a byte order mark", answer: answers(`\ufeff${page}`) },
  { does: "names latin1 and sends ASCII", answer: answers(page, json("latin1")) },
  {
    does: "sends a byte that UTF-8 has not",
    answer: answers(latin1),
    ...body("text that is not UTF-8"),
  },
  {
    does: "sends latin1 and says so",
    answer: answers(latin1, json("ISO-8859-1")),
    ...body("text that is not UTF-8 but ISO-8859-1"),
  },
  {
    does: "sends UTF-16 with a byte order mark",
    answer: answers(utf16(`\ufeff${page}`)),
    ...body("text in UTF-16"),
  },
  {
    does: "sends UTF-16 without one",
    answer: answers(utf16(page).swap16()),
    ...body("text in UTF-16"),
  },
  {
    does: "sends UTF-32",
    answer: answers(Buffer.from([...page].flatMap((one) => [one.charCodeAt(0), 0, 0, 0]))),
    ...body("text in UTF-32"),
  },

  { does: "answers with nothing", answer: answers(""), ...body("an empty body") },
  { does: "answers with blanks", answer: answers(" \r\n"), ...body("an empty body") },
  {
    does: "answers with a page for people",
    answer: answers("<!DOCTYPE html>\n<title>Log in</title>", { "content-type": "text/html" }),
    ...body("an HTML page, not JSON: <!DOCTYPE html> <title>Log in</title>"),
  },
  {
    does: "calls such a page JSON",
    answer: answers("<html>\u0007<b>Down</b>", { "content-type": "application/json" }),
    ...body("an HTML page, not JSON: <html> <b>Down</b>"),
  },
  {
    does: "answers with a text",
    answer: answers("Try again later"),
    ...body("something that is not JSON: Try again later"),
  },
  {
    does: "answers with JSON lines",
    answer: answers('{"id":3}\n{"id":4}\n'),
    ...body("JSON lines"),
  },
  {
    does: "sends what only JavaScript reads",
    answer: answers(data('{"id":3,"share":NaN}')),
    fails: ["extract.body", broken],
    retried: true,
  },
  {
    does: "sends something behind the JSON",
    answer: answers(`${page} bye`),
    fails: ["extract.body", broken],
    retried: true,
  },
  {
    does: "answers 200 with an error",
    answer: answers('{"error":{"message":"quota exceeded"}}'),
    ...nothing('the body has: error; it says {"error":{"message":"quota exceeded"}}'),
  },
  {
    does: "answers 200 with an error and an empty list",
    answer: answers('{"ok":false,"error":"ratelimited","data":[]}'),
    fails: [
      "extract.selector",
      'the answer to GET /rows has no records; it says {"ok":false,"error":"ratelimited","data":[]}',
    ],
  },
  {
    does: "answers 200 with an error, where no data_selector is named",
    answer: answers('{"error":"quota exceeded"}'),
    endpoint: { data_selector: undefined },
    first: true,
    fails: [
      "extract.selector",
      'the answer to GET /rows has no records; the body has: error; it says {"error":"quota exceeded"}',
    ],
  },
  {
    does: "answers 200 with a list of errors, where no data_selector is named",
    answer: answers('{"errors":[{"message":"no such field"}],"data":null}'),
    endpoint: { data_selector: undefined },
    first: true,
    fails: [
      "extract.selector",
      'the answer to GET /rows has no records; the body has: errors, data; it says {"errors":[{"message":"no such field"}],"data":null}',
    ],
  },
  {
    does: "has null where the records should be",
    answer: answers('{"data":null}'),
    ...nothing('"data" is null; the body has: data'),
  },
  { does: "answers with null", answer: answers("null"), ...nothing("the body is null") },
  { does: "answers with one number", answer: answers("42"), ...nothing("the body is 42") },

  {
    does: "redirects to another host",
    answer: answers("", { location: "http://127.0.0.2:9/x?key=1" }, "302 Found"),
    ...status("302, a redirect to http://127.0.0.2:9/x", "extract.redirect"),
  },
  {
    does: "redirects in a circle",
    answer: (socket, { target }) =>
      answers("", { location: target }, "302 Found")(socket, { target, head: "" }),
    ...status("302, a redirect to $api/rows", "extract.redirect"),
  },
  {
    does: "redirects to nowhere",
    answer: answers("", {}, "302 Found"),
    ...status("302, a redirect to no address", "extract.redirect"),
  },
  {
    does: "says that nothing has changed",
    answer: answers("", {}, "304 Not Modified"),
    ...status("304"),
  },
  {
    does: "answers 503, in gzip that is none",
    answer: answers("busy", { "content-encoding": "gzip" }, "503 Busy"),
    ...status("503"),
    retried: true,
  },
  {
    does: "answers with a status that HTTP has not",
    answer: answers("denied", {}, "999 Denied"),
    ...status("999: denied"),
  },
  {
    does: "says that a whole page is a part",
    answer: answers(page, { "content-range": "rows 2-3/4" }, "206 Partial Content"),
  },
];
