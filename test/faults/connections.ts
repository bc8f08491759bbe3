import { answers, ends, head, never, sends, trickles, whole } from "../support/faults.ts";
import { broken, chunk, chunkedHead, closed, MIB, noHttp, page, type Row, tooLate } from "./row.ts";

const network = (message: string) => ({
  fails: ["extract.network", message] as [string, string],
  retried: true as const,
});
const late = { fails: ["extract.timeout", tooLate] as [string, string], retried: true as const };
const headers = "GET /rows: $api answered with more than 16 KiB of headers";

/** What goes wrong below the answer: the connection, HTTP, and time. */
export const connections: Row[] = [
  { does: "closes a kept connection without a byte", answer: ends(), ...network(closed) },
  {
    does: "resets the connection",
    answer: (socket) => void socket.resetAndDestroy(),
    ...network(closed),
  },
  {
    does: "resets the connection within the body",
    answer: (socket) =>
      void socket.write(head({ "content-length": 100 }) + page, () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      ),
    ...network(closed),
  },
  {
    does: "sends less than its Content-Length",
    answer: ends(head({ "content-length": 100 }) + page),
    ...network(closed),
  },
  {
    does: "sends more than its Content-Length",
    answer: sends(head({ "content-length": 10 }) + page),
    fails: ["extract.body", broken],
    retried: true,
  },
  {
    does: "ends a chunked body early",
    answer: ends(chunkedHead + chunk(page)),
    ...network(closed),
  },
  {
    does: "names no length and ends in the middle",
    answer: ends(head({ connection: "close" }) + page.slice(0, 20)),
    fails: ["extract.body", broken],
    retried: true,
  },
  {
    does: "names no length and ends where the body does",
    answer: ends(head({ connection: "close" }) + page),
  },
  {
    does: "closes the connection behind a whole answer, without a word",
    answer: (socket) => void socket.end(whole(page)),
  },
  {
    does: "sends a chunk size that is no number",
    answer: sends(`${chunkedHead}xyz\r\n${page}\r\n0\r\n\r\n`),
    ...network(noHttp),
  },
  {
    does: "names two lengths",
    answer: ends(`HTTP/1.1 200 OK\r\ncontent-length: 28\r\ncontent-length: 5\r\n\r\n${page}`),
    ...network(closed),
  },
  {
    does: "names a length and sends chunks",
    answer: ends(
      `${head({ "content-length": 28, "transfer-encoding": "chunked" })}${chunk(page)}0\r\n\r\n`,
    ),
    ...network(closed),
  },
  { does: "speaks another protocol", answer: ends("SSH-2.0 hello\r\n"), ...network(noHttp) },
  { does: "sends a body without a head", answer: ends(page), ...network(noHttp) },
  {
    does: "sends a header of 17 KiB",
    answer: answers(page, { "x-long": "x".repeat(17 * 1024) }),
    ...network(headers),
  },
  {
    does: "sends headers without end",
    answer: never("HTTP/1.1 200 OK\r\n", "x-a: b\r\n".repeat(100)),
    timeout: 10,
    ...network(headers),
  },
  {
    does: "sends trailers without end",
    answer: never(`${chunkedHead}${chunk(page)}0\r\n`, "x-a: b\r\n".repeat(100)),
    timeout: 10,
    ...network(headers),
  },
  {
    does: "sends headers twice, some of them named like JavaScript's own",
    answer: sends(
      "HTTP/1.1 200 OK\r\n__proto__: a\r\n__proto__: b\r\nconstructor: c\r\ndate: d\r\ndate: e\r\n",
      `content-length: ${page.length}\r\n\r\n${page}`,
    ),
  },
  {
    does: "asks twice to wait no time",
    answer: sends(
      "HTTP/1.1 429 Slow\r\nretry-after: 0\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n",
    ),
    fails: ["extract.status", "GET /rows answered 429"],
    retried: true,
  },
  {
    does: "sends 103 Early Hints before its answer",
    answer: sends("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", whole(page)),
  },
  {
    does: "sends 103 Early Hints without end",
    answer: never("", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10)),
    ...late,
  },
  {
    does: "sends a 100 Continue that nobody waits for",
    answer: sends("HTTP/1.1 100 Continue\r\n\r\n", whole(page)),
    ...network(closed),
  },
  {
    does: "switches to another protocol",
    answer: sends("HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
    ...network(closed),
  },
  { does: "never answers", answer: () => {}, ...late },
  {
    does: "sends its headers a byte at a time",
    answer: trickles("HTTP/1.1 200 OK\r\nx-slow: ", "x"),
    ...late,
  },
  {
    does: "sends its body a byte at a time",
    answer: trickles(head({ "content-length": 10_000 }), " "),
    ...late,
  },
  {
    does: "sends a chunk's extension without end",
    answer: never(`${chunkedHead}1;a=`, "x".repeat(10_000)),
    ...late,
  },
  {
    does: "sends a chunk for each byte",
    answer: sends(chunkedHead, ...[...page].map(chunk), "0\r\n\r\n"),
  },
  {
    does: "sends a body without end",
    answer: never(head({}), Buffer.alloc(MIB, " ")),
    timeout: 20,
    fails: ["extract.size", "GET /rows answered with more than 64 MiB"],
  },
];
