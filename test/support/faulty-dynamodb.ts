import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** The fault of one request. Undefined means no fault. */
export type Fault =
  /** `count` puts of a BatchWriteItem come back unprocessed; the others are done. */
  | { kind: "unprocessed"; count: number }
  /** DynamoDB answers with an error, for instance a throttle, and does nothing. */
  | { kind: "error"; status: number; type?: string }
  /** The connection breaks, before the request is done or after it, so that its answer is lost. */
  | { kind: "reset"; when: "before" | "after" }
  /** `kill` ends the caller, before the request is done or after it. */
  | { kind: "death"; when: "before" | "after"; kill: () => void }
  /** The request is done `ms` milliseconds late. */
  | { kind: "delay"; ms: number }
  /** The request waits on its way until the promise settles, and is done afterwards. */
  | { kind: "hold"; until: Promise<unknown> }
  /** The request is done, and the answer is replaced. */
  | { kind: "answer"; status: number; body: string };

export interface Call {
  /** Counted from 1. */
  number: number;
  /** `BatchWriteItem`, … */
  operation: string;
  body: Record<string, unknown>;
}

export interface FaultyDynamodb {
  endpoint: string;
  /** Every request so far. */
  calls: Call[];
  close(): Promise<void>;
}

/**
 * Opens a proxy before a real engine, for faults that engines on a laptop never have: throttles,
 * unprocessed items, lost answers.
 */
export async function openFaultyDynamodb(
  engine: string,
  script: (call: Call) => Fault | undefined,
): Promise<FaultyDynamodb> {
  const calls: Call[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const text = await readText(incoming);
    const operation = String(incoming.headers["x-amz-target"]).split(".")[1] ?? "";
    const call = { number: calls.length + 1, operation, body: JSON.parse(text) };
    calls.push(call);
    const forwardBody = (body: string) => forwardCall(engine, incoming, body);
    await answerCall(script(call), text, forwardBody, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, calls, close: () => closeServer(server) };
}

type Answer = { status: number; body: string };

async function answerCall(
  fault: Fault | undefined,
  body: string,
  forward: (body: string) => Promise<Answer>,
  outgoing: ServerResponse,
): Promise<void> {
  const sendAnswer = ({ status, body }: Answer) => {
    outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
    outgoing.end(body);
  };
  if (!fault) return sendAnswer(await forward(body));
  switch (fault.kind) {
    case "unprocessed":
      return sendAnswer(await leaveUnprocessed(fault.count, body, forward));
    case "error": {
      const type = `com.amazonaws.dynamodb.v20120810#${fault.type}`;
      return sendAnswer({
        status: fault.status,
        body: fault.type ? JSON.stringify({ __type: type, message: "scripted" }) : "",
      });
    }
    case "reset":
      if (fault.when === "after") await forward(body);
      outgoing.destroy();
      return;
    case "death":
      if (fault.when === "after") await forward(body);
      fault.kill();
      outgoing.destroy();
      return;
    case "delay":
      await wait(fault.ms);
      return sendAnswer(await forward(body));
    case "hold":
      await fault.until;
      return sendAnswer(await forward(body));
    case "answer":
      await forward(body);
      return sendAnswer(fault);
  }
}

/** Forwards all but the last `count` puts, which come back unprocessed. */
async function leaveUnprocessed(
  count: number,
  body: string,
  forward: (body: string) => Promise<Answer>,
): Promise<Answer> {
  const { RequestItems, ...parameters } = JSON.parse(body);
  const [[table, puts]] = Object.entries(RequestItems) as [[string, unknown[]]];
  const done = puts.slice(0, Math.max(0, puts.length - count));
  const unprocessed = puts.slice(done.length);
  if (done.length > 0) {
    await forward(JSON.stringify({ RequestItems: { [table]: done }, ...parameters }));
  }
  const UnprocessedItems = unprocessed.length > 0 ? { [table]: unprocessed } : {};
  return { status: 200, body: JSON.stringify({ UnprocessedItems }) };
}

function forwardCall(engine: string, incoming: IncomingMessage, body: string): Promise<Answer> {
  const { host, ...others } = incoming.headers;
  const headers = { ...others, "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const outgoing = request(engine, { method: "POST", headers }, async (response) => {
      resolve({ status: response.statusCode ?? 500, body: await readText(response) });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
