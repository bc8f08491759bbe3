import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** Tells where it listens on its first line, and ends with the process that started it. */
export function serve(listener: RequestListener): void {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener).listen(0, "127.0.0.1", () =>
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
  );
  process.stdin.on("end", () => process.exit()).resume();
}

/** Answers after so many milliseconds, or at once. */
export function after(ms: number, answer: () => void): void {
  if (ms > 0) setTimeout(answer, ms);
  else answer();
}
