import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { openLoopbackServer } from "../base/loopback.ts";

export interface Invocation {
  requestId: string;
  functionArn: string;
  /** The event as JSON. */
  payload: string;
}

/** The result of an invocation as JSON: the handler's return value, or an error with its type. */
export interface Answer {
  payload: string;
  errorType?: string;
}

/** The limit of a request's payload, plus 100 bytes, as AWS allows for answers. */
const PAYLOAD_LIMIT = 6 * 1024 * 1024 + 100;
const PATH_PREFIX = "/2018-06-01/runtime/";

/** Opens the API for a single process: a source of events and a sink for answers. */
export async function openRuntimeApi(): Promise<RuntimeApi> {
  const api = new RuntimeApi();
  await api.open();
  return api;
}

export class RuntimeApi {
  /**
   * Settles when the process asks for an event, with the response for delivering the event, or when
   * the process fails to start, with the error. Replaced after each delivery.
   */
  #nextRequest = createDeferred<ServerResponse | Answer>();
  /** The invocation whose answer is awaited. Undefined before the first event. */
  #running: { requestId: string; settle: (answer: Answer) => void } | undefined;
  #server: { url: string; close(): Promise<void> } | undefined;

  async open(): Promise<void> {
    this.#server = await openLoopbackServer(
      (request, response) => {
        // A process that was killed leaves an incomplete request.
        this.#handleRequest(request, response).catch(() => response.destroy());
      },
      { needsKey: true },
    );
  }

  /** The host, port and key for AWS_LAMBDA_RUNTIME_API. */
  get address(): string {
    return this.#server?.url.replace("http://", "") ?? "";
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** Resolves when the process asks for an event, or with the error of a failed start. */
  async waitUntilReady(): Promise<Answer | undefined> {
    const request = await this.#nextRequest.promise;
    return "payload" in request ? request : undefined;
  }

  /** Delivers an event to the process and waits for its answer. */
  async run({ requestId, functionArn, payload }: Invocation, deadlineMs: number): Promise<Answer> {
    const request = await this.#nextRequest.promise;
    if ("payload" in request) return request;
    this.#nextRequest = createDeferred();
    const answer = createDeferred<Answer>();
    this.#running = { requestId, settle: answer.resolve };
    request.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": requestId,
      "lambda-runtime-deadline-ms": String(deadlineMs),
      "lambda-runtime-invoked-function-arn": functionArn,
    });
    request.end(payload);
    return answer.promise;
  }

  async #handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The server could close a kept connection while the process sends another request.
    response.setHeader("connection", "close");
    const path = request.url?.startsWith(PATH_PREFIX) ? request.url.slice(PATH_PREFIX.length) : "";
    if (path === "invocation/next") return this.#nextRequest.resolve(response);
    const payload = await text(request);
    const running = this.#running;
    if (path === "init/error") {
      this.#nextRequest.resolve(errorAnswer(request, payload));
    } else if (running && path === `invocation/${running.requestId}/error`) {
      running.settle(errorAnswer(request, payload));
    } else if (running && path === `invocation/${running.requestId}/response`) {
      if (Buffer.byteLength(payload) > PAYLOAD_LIMIT) {
        running.settle(tooLargeAnswer);
        return void response.writeHead(413).end();
      }
      running.settle({ payload });
    } else {
      return void response.writeHead(400).end();
    }
    response.writeHead(202).end();
  }
}

function errorAnswer({ headers }: IncomingMessage, payload: string): Answer {
  return { payload, errorType: String(headers["lambda-runtime-function-error-type"]) };
}

const tooLargeAnswer: Answer = {
  errorType: "Function.ResponseSizeTooLarge",
  payload: JSON.stringify({
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: `Response payload size exceeded maximum allowed payload size (${PAYLOAD_LIMIT} bytes).`,
  }),
};

function createDeferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
