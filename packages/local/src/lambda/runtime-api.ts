import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { openLoopbackServer } from "../base/loopback.ts";

export interface Invocation {
  requestId: string;
  functionArn: string;
  /** JSON. */
  payload: string;
}

/** How an invocation ended, in JSON: what the handler returned, or with `errorType` an error. */
export interface Answer {
  payload: string;
  errorType?: string;
}

export interface RuntimeApi {
  /** `host:port`, as AWS_LAMBDA_RUNTIME_API has it. */
  address: string;
  /** Resolves when the runtime asks for an event, or with the error that keeps it from doing so. */
  ready(): Promise<Answer | undefined>;
  /** Gives it the event that it asks for. */
  run(invocation: Invocation, deadline: number): Promise<Answer>;
  close(): Promise<void>;
}

/** As of an invocation's request; AWS lets an answer have 100 bytes more. */
const PAYLOAD_LIMIT = 6 * 1024 * 1024 + 100;
const PREFIX = "/2018-06-01/runtime/";

/** Where one process fetches its events and brings its answers. */
export async function openRuntimeApi(): Promise<RuntimeApi> {
  let asking = deferred<ServerResponse | Answer>();
  let running: { requestId: string; answered: (answer: Answer) => void } | undefined;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A kept connection can be closed here just when the process sends its next request on it.
    response.setHeader("connection", "close");
    const call = request.url?.startsWith(PREFIX) ? request.url.slice(PREFIX.length) : "";
    if (call === "invocation/next") return asking.resolve(response);
    const payload = await text(request);
    if (call === "init/error") {
      asking.resolve(failure(request, payload));
    } else if (running && call === `invocation/${running.requestId}/error`) {
      running.answered(failure(request, payload));
    } else if (running && call === `invocation/${running.requestId}/response`) {
      if (Buffer.byteLength(payload) > PAYLOAD_LIMIT) {
        running.answered(tooLarge);
        return void response.writeHead(413).end();
      }
      running.answered({ payload });
    } else {
      return void response.writeHead(400).end();
    }
    response.writeHead(202).end();
  }

  const { url, close } = await openLoopbackServer((request, response) => {
    // A process that was killed leaves half a request.
    serve(request, response).catch(() => response.destroy());
  });

  return {
    address: new URL(url).host,
    close,
    async ready() {
      const asked = await asking.promise;
      return "payload" in asked ? asked : undefined;
    },
    async run({ requestId, functionArn, payload }, deadline) {
      const asked = await asking.promise;
      if ("payload" in asked) return asked;
      asking = deferred();
      const answered = deferred<Answer>();
      running = { requestId, answered: answered.resolve };
      asked.writeHead(200, {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": requestId,
        "lambda-runtime-deadline-ms": String(deadline),
        "lambda-runtime-invoked-function-arn": functionArn,
      });
      asked.end(payload);
      return answered.promise;
    },
  };
}

function failure({ headers }: IncomingMessage, payload: string): Answer {
  return { payload, errorType: String(headers["lambda-runtime-function-error-type"]) };
}

const tooLarge: Answer = {
  errorType: "Function.ResponseSizeTooLarge",
  payload: JSON.stringify({
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: `Response payload size exceeded maximum allowed payload size (${PAYLOAD_LIMIT} bytes).`,
  }),
};

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
