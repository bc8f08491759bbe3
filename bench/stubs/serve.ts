import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** Starts a server, prints the URL on the first line, and ends with the parent process. */
export function startServer(listener: RequestListener): void {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener).listen(0, "127.0.0.1", () =>
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
  );
  process.stdin.on("end", () => process.exit()).resume();
}

/** Answers after a delay, or at once without a delay. */
export function answerAfter(ms: number, answer: () => void): void {
  if (ms > 0) setTimeout(answer, ms);
  else answer();
}
