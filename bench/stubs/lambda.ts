import { after, serve } from "./serve.ts";

/** Lambda's answer to an asynchronous invocation, and at `/invoked` the different events that came. */
const LATENCY_MS = 50;
const events = new Set<string>();

serve((request, response) => {
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
    after(LATENCY_MS, () => response.writeHead(202).end());
  });
});
