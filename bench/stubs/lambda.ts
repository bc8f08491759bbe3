import { answerAfter, startServer } from "./serve.ts";

/* Answers asynchronous invocations like Lambda. `/invoked` returns the number of different events. */

const LATENCY_MS = 50;
const events = new Set<string>();

startServer((request, response) => {
  if (request.url === "/invoked") {
    response.end(String(events.size));
    return;
  }
  let body = "";
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    events.add(body);
    answerAfter(LATENCY_MS, () => response.writeHead(202).end());
  });
});
