import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { openLoopbackServer } from "../base/loopback.ts";
import type { Answer } from "./runtime-api.ts";

/** What can be invoked. */
export interface Invokable {
  /** Waits for the answer. */
  invoke(requestId: string, payload: string): Promise<Answer | "throttled">;
  /** Returns at once. */
  send(requestId: string, payload: string): void;
}

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

const ROUTE = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?.*)?$/;
/** Bytes that an event may have. */
const LIMITS: Record<string, number> = {
  RequestResponse: 6 * 1024 * 1024,
  Event: 1024 * 1024,
  DryRun: 6 * 1024 * 1024,
};

/** Lambda's Invoke API, and nothing else of Lambda's. */
export async function openInvokeApi(
  find: (functionName: string) => Invokable | undefined,
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const { url, close } = await openLoopbackServer(async (request, response) => {
    const requestId = randomUUID();
    const { status, headers, body } = await reply(request, requestId, find).catch(failed);
    response.writeHead(status, {
      "content-type": "application/json",
      "x-amzn-requestid": requestId,
      // A kept connection can be closed here just when the client sends its next request on it.
      connection: "close",
      ...headers,
    });
    response.end(body);
  });
  return { endpoint: url, close };
}

async function reply(
  request: IncomingMessage,
  requestId: string,
  find: (functionName: string) => Invokable | undefined,
): Promise<Reply> {
  const name = decodeURIComponent(ROUTE.exec(request.url ?? "")?.[1] ?? "");
  const target = request.method === "POST" && find(name);
  if (!target) return refusal(404, "ResourceNotFoundException", `Function not found: ${name}`);

  const type = String(request.headers["x-amz-invocation-type"] ?? "RequestResponse");
  const limit = LIMITS[type];
  if (limit === undefined) {
    return refusal(400, "InvalidParameterValueException", `Unknown invocation type: ${type}`);
  }
  // No event at all is an empty one.
  const payload = (await text(request)) || "{}";
  if (Buffer.byteLength(payload) > limit) {
    const message = `Request must be smaller than ${limit} bytes for the InvokeFunction operation`;
    return refusal(413, "RequestTooLargeException", message);
  }
  if (!isJson(payload)) {
    const message = "Could not parse request body into json";
    return refusal(400, "InvalidRequestContentException", message);
  }

  if (type === "DryRun") return { status: 204 };
  if (type === "Event") {
    target.send(requestId, payload);
    return { status: 202 };
  }
  const answer = await target.invoke(requestId, payload);
  if (answer === "throttled") return refusal(429, "TooManyRequestsException", "Rate Exceeded.");
  const headers = { "x-amz-executed-version": "$LATEST" };
  if (answer.errorType === undefined) return { status: 200, headers, body: answer.payload };
  // Whatever went wrong: Lambda has no other word.
  const error = { ...headers, "x-amz-function-error": "Unhandled" };
  return { status: 200, headers: error, body: answer.payload };
}

function refusal(status: number, name: string, message: string): Reply {
  return {
    status,
    headers: { "x-amzn-errortype": name },
    body: JSON.stringify({ Type: status < 500 ? "User" : "Service", message }),
  };
}

function failed(error: unknown): Reply {
  return refusal(500, "ServiceException", error instanceof Error ? error.message : String(error));
}

function isJson(payload: string): boolean {
  try {
    JSON.parse(payload);
    return true;
  } catch {
    return false;
  }
}
