import {
  answerHead,
  sendAndClose,
  sendAnswer,
  sendBytes,
  sendForever,
  sendSlowly,
  wholeAnswer,
} from "../support/faults.ts";
import {
  brokenJson,
  chunkedHead,
  chunkOf,
  connectionClosed,
  type FaultCase,
  MIB,
  notHttp,
  secondPage,
  timedOut,
} from "./fault-case.ts";

const networkError = (message: string): Partial<FaultCase> => ({
  error: ["extract.network", message],
  isRetried: true,
});
const timeOut: Partial<FaultCase> = { error: ["extract.timeout", timedOut], isRetried: true };
const headersTooLong = "GET /rows: $api answered with more than 16 KiB of headers";

/** Faults of the connection, of HTTP, and of time. */
export const connections: FaultCase[] = [
  {
    fault: "closes a kept connection without a byte",
    answer: sendAndClose(),
    ...networkError(connectionClosed),
  },
  {
    fault: "resets the connection",
    answer: (socket) => void socket.resetAndDestroy(),
    ...networkError(connectionClosed),
  },
  {
    fault: "resets the connection within the body",
    answer: (socket) =>
      void socket.write(answerHead({ "content-length": 100 }) + secondPage, () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      ),
    ...networkError(connectionClosed),
  },
  {
    fault: "sends less than its Content-Length",
    answer: sendAndClose(answerHead({ "content-length": 100 }) + secondPage),
    ...networkError(connectionClosed),
  },
  {
    fault: "sends more than its Content-Length",
    answer: sendBytes(answerHead({ "content-length": 10 }) + secondPage),
    error: ["extract.body", brokenJson],
    isRetried: true,
  },
  {
    fault: "ends a chunked body early",
    answer: sendAndClose(chunkedHead + chunkOf(secondPage)),
    ...networkError(connectionClosed),
  },
  {
    fault: "declares no length and ends in the middle",
    answer: sendAndClose(answerHead({ connection: "close" }) + secondPage.slice(0, 20)),
    error: ["extract.body", brokenJson],
    isRetried: true,
  },
  {
    fault: "declares no length and ends after the body",
    answer: sendAndClose(answerHead({ connection: "close" }) + secondPage),
  },
  {
    fault: "closes the connection right after a whole answer",
    answer: (socket) => void socket.end(wholeAnswer(secondPage)),
  },
  {
    fault: "sends a chunk size that is not a number",
    answer: sendBytes(`${chunkedHead}xyz\r\n${secondPage}\r\n0\r\n\r\n`),
    ...networkError(notHttp),
  },
  {
    fault: "declares two lengths",
    answer: sendAndClose(
      `HTTP/1.1 200 OK\r\ncontent-length: 28\r\ncontent-length: 5\r\n\r\n${secondPage}`,
    ),
    ...networkError(connectionClosed),
  },
  {
    fault: "declares a length and sends chunks",
    answer: sendAndClose(
      `${answerHead({ "content-length": 28, "transfer-encoding": "chunked" })}${chunkOf(secondPage)}0\r\n\r\n`,
    ),
    ...networkError(connectionClosed),
  },
  {
    fault: "speaks another protocol",
    answer: sendAndClose("SSH-2.0 hello\r\n"),
    ...networkError(notHttp),
  },
  {
    fault: "sends a body without a head",
    answer: sendAndClose(secondPage),
    ...networkError(notHttp),
  },
  {
    fault: "sends a header of 17 KiB",
    answer: sendAnswer(secondPage, { "x-long": "x".repeat(17 * 1024) }),
    ...networkError(headersTooLong),
  },
  {
    fault: "sends headers without end",
    answer: sendForever("HTTP/1.1 200 OK\r\n", "x-a: b\r\n".repeat(100)),
    ...networkError(headersTooLong),
  },
  {
    fault: "sends trailers without end",
    answer: sendForever(`${chunkedHead}${chunkOf(secondPage)}0\r\n`, "x-a: b\r\n".repeat(100)),
    ...networkError(headersTooLong),
  },
  {
    fault: "sends headers twice, some of them named like JavaScript's own",
    answer: sendBytes(
      "HTTP/1.1 200 OK\r\n__proto__: a\r\n__proto__: b\r\nconstructor: c\r\ndate: d\r\ndate: e\r\n",
      `content-length: ${secondPage.length}\r\n\r\n${secondPage}`,
    ),
  },
  {
    fault: "answers 429 with two Retry-After headers of 0",
    answer: sendBytes(
      "HTTP/1.1 429 Slow\r\nretry-after: 0\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n",
    ),
    error: ["extract.status", "GET /rows answered 429"],
    isRetried: true,
  },
  {
    fault: "sends 103 Early Hints before its answer",
    answer: sendBytes("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", wholeAnswer(secondPage)),
  },
  {
    fault: "sends 103 Early Hints without end",
    answer: sendForever("", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10)),
    ...timeOut,
  },
  {
    fault: "sends a 100 Continue that was not asked for",
    answer: sendBytes("HTTP/1.1 100 Continue\r\n\r\n", wholeAnswer(secondPage)),
    ...networkError(connectionClosed),
  },
  {
    fault: "switches to another protocol",
    answer: sendBytes(
      "HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ),
    ...networkError(connectionClosed),
  },
  { fault: "never answers", answer: () => {}, ...timeOut },
  {
    fault: "sends its headers a byte at a time",
    answer: sendSlowly("HTTP/1.1 200 OK\r\nx-slow: ", "x"),
    ...timeOut,
  },
  {
    fault: "sends its body a byte at a time",
    answer: sendSlowly(answerHead({ "content-length": 10_000 }), " "),
    ...timeOut,
  },
  {
    fault: "sends a chunk's extension without end",
    answer: sendForever(`${chunkedHead}1;a=`, "x".repeat(10_000)),
    ...timeOut,
  },
  {
    fault: "sends a chunk for each byte",
    answer: sendBytes(chunkedHead, ...[...secondPage].map(chunkOf), "0\r\n\r\n"),
  },
  {
    fault: "sends a body without end",
    answer: sendForever(answerHead({}), Buffer.alloc(MIB, " ")),
    error: ["extract.size", "GET /rows answered with more than 64 MiB"],
  },
];
