import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import { openLoopbackServer } from "../base/loopback.ts";
import type { Answer } from "./runtime-api.ts";

/** A function behind the Invoke API. */
export interface Invokable {
  /** Invokes the function and waits for its answer. */
  invoke(requestId: string, payload: string): Promise<Answer | "throttled">;
  /** Queues an asynchronous event and returns at once. */
  send(requestId: string, payload: string): void;
  /** The variables of its environment, as GetFunctionConfiguration tells them. */
  environment?: Record<string, string>;
}

type FindFunction = (functionName: string) => Invokable | undefined;

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?.*)?$/;
const CONFIGURATION_PATH = /^\/2015-03-31\/functions\/([^/?]+)\/configuration(?:\?.*)?$/;
/** The largest payload of an event, in bytes. */
const PAYLOAD_LIMITS: Record<string, number> = {
  RequestResponse: 6 * 1024 * 1024,
  Event: 1024 * 1024,
  DryRun: 6 * 1024 * 1024,
};

/** Serves Lambda's Invoke API, and of the rest of Lambda's API what a function's environment is. */
export async function openInvokeApi(
  findFunction: FindFunction,
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const listener: RequestListener = async (request, response) => {
    const requestId = randomUUID();
    const reply = await replyTo(request, requestId, findFunction).catch(serviceError);
    response.writeHead(reply.status, {
      "content-type": "application/json",
      "x-amzn-requestid": requestId,
      // The server could close a kept connection while the client sends another request.
      connection: "close",
      ...reply.headers,
    });
    response.end(reply.body);
  };
  const { url, close } = await openLoopbackServer(listener, { needsKey: true });
  return { endpoint: url, close };
}

async function replyTo(
  request: IncomingMessage,
  requestId: string,
  findFunction: FindFunction,
): Promise<Reply> {
  const configuredName = CONFIGURATION_PATH.exec(request.url ?? "")?.[1];
  if (request.method === "GET" && configuredName !== undefined) {
    return configurationOf(decodeURIComponent(configuredName), findFunction);
  }
  const name = decodeURIComponent(INVOKE_PATH.exec(request.url ?? "")?.[1] ?? "");
  const target = request.method === "POST" && findFunction(name);
  if (!target) return refusal(404, "ResourceNotFoundException", `Function not found: ${name}`);

  const type = String(request.headers["x-amz-invocation-type"] ?? "RequestResponse");
  const limit = PAYLOAD_LIMITS[type];
  if (limit === undefined) {
    return refusal(400, "InvalidParameterValueException", `Unknown invocation type: ${type}`);
  }
  // Lambda treats a missing event as an empty one.
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
  return answerReply(await target.invoke(requestId, payload));
}

function configurationOf(name: string, findFunction: FindFunction): Reply {
  const target = findFunction(name);
  if (!target) return refusal(404, "ResourceNotFoundException", `Function not found: ${name}`);
  const Environment = { Variables: target.environment ?? {} };
  return { status: 200, body: JSON.stringify({ FunctionName: name, Environment }) };
}

function answerReply(answer: Answer | "throttled"): Reply {
  if (answer === "throttled") return refusal(429, "TooManyRequestsException", "Rate Exceeded.");
  const headers = { "x-amz-executed-version": "$LATEST" };
  if (answer.errorType === undefined) return { status: 200, headers, body: answer.payload };
  // Lambda reports every function error as "Unhandled".
  const errorHeaders = { ...headers, "x-amz-function-error": "Unhandled" };
  return { status: 200, headers: errorHeaders, body: answer.payload };
}

function refusal(status: number, errorName: string, message: string): Reply {
  return {
    status,
    headers: { "x-amzn-errortype": errorName },
    body: JSON.stringify({ Type: status < 500 ? "User" : "Service", message }),
  };
}

function serviceError(error: unknown): Reply {
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
