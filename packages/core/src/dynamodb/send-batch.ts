import { BatchWriteItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { getEndpointFromInstructions } from "@smithy/core/endpoints";
import type { Dispatcher } from "undici";
import Pool from "undici/lib/dispatcher/pool.js";
import { AWS_CONNECT_MS, AWS_IDLE_MS, AWS_REQUEST_MS } from "../base/timing.ts";
import type { SendBatch } from "../base/wire.ts";

/*
 * Sends batches without the SDK's commands. A command walks a request by a schema to write it as
 * JSON, and an answer to read it, which takes more CPU time than all else in a run. Endpoint, region, credentials, signature and the correction of a wrong clock stay those
 * of the SDK's client. The connections are undici's, as those to the API.
 */

type ClientConfig = DynamoDBClient["config"];

/** As many as the SDK opens. */
const MAX_CONNECTIONS = 50;

/** A signature of a clock that is further away is refused. */
const CLOCK_TOLERANCE_MS = 240_000;

/** Sends batches with the configuration of a client, on connections of its own. */
export class BatchSender {
  readonly #config: ClientConfig;
  /** Where requests go, known from the first request on. An attempt that fails is repeated. */
  #target: Promise<Target> | undefined;

  constructor(config: ClientConfig) {
    this.#config = config;
  }

  readonly sendBatch: SendBatch = async (operation, text, signal) => {
    signal?.throwIfAborted();
    this.#target ??= this.#open();
    const { pool, head, signer } = await this.#target.catch((error: unknown) => {
      this.#target = undefined;
      throw error;
    });
    // The signer would convert a string, too.
    const body = Buffer.from(text);
    const clockOffset = this.#config.systemClockOffset;
    const headers = { ...head.headers, "x-amz-target": `DynamoDB_20120810.${operation}` };
    const signed = await signer.sign(
      { ...head, headers, body },
      { signingDate: new Date(Date.now() + clockOffset) },
    );
    const { path, method } = head;
    const answer = await dispatch(pool, { path, method, headers: signed.headers, body }, signal);
    const isClockCorrected = this.#learnClock(answer, clockOffset);
    if (answer.status < 300) return JSON.parse(answer.text);
    throw answerError(answer, isClockCorrected);
  };

  /** Ends the connections. A request that is under way fails, as with a destroyed client. */
  close(): void {
    this.#target?.then(({ pool }) => pool.destroy()).catch(() => {});
  }

  async #open(): Promise<Target> {
    const config = this.#config;
    const input = { RequestItems: {} };
    const { url } = await getEndpointFromInstructions(
      input,
      BatchWriteItemCommand as never,
      config as never,
    );
    const signer = await config.signer({
      name: "sigv4",
      signingName: "dynamodb",
      signingRegion: await config.region(),
      properties: {},
    });
    const pool = new Pool(url.origin, {
      connections: MAX_CONNECTIONS,
      connect: { timeout: AWS_CONNECT_MS },
      headersTimeout: AWS_REQUEST_MS,
      bodyTimeout: AWS_REQUEST_MS,
      keepAliveTimeout: AWS_IDLE_MS,
    });
    return { pool, signer, head: headOf(url) };
  }

  /** Corrects the clock by the answer, as the SDK does. Returns whether the signature was too old. */
  #learnClock({ headers }: Answer, usedOffset: number): boolean {
    const serverTime = Date.parse(String(headers.date));
    // A cache in between has answered with an old time.
    if (Number.isNaN(serverTime) || headers.age !== undefined) return false;
    const offset = serverTime - Date.now();
    this.#config.systemClockOffset = offset;
    return Math.abs(offset - usedOffset) > CLOCK_TOLERANCE_MS;
  }
}

/** Where requests go, and how they are signed. */
interface Target {
  pool: Dispatcher;
  signer: Awaited<ReturnType<ClientConfig["signer"]>>;
  head: ReturnType<typeof headOf>;
}

/** The parts of a request that all have in common, for the signature too. */
const headOf = ({ protocol, hostname, port, host, pathname }: URL) => ({
  protocol,
  hostname,
  ...(port === "" ? {} : { port: Number(port) }),
  method: "POST" as const,
  path: pathname,
  query: {},
  headers: {
    host,
    "content-type": "application/x-amz-json-1.0",
    "user-agent": "tidetable/0.1",
  },
});

interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Sends a request and reads the whole answer. An abort ends the wait at once, for a connection too. */
function dispatch(
  pool: Dispatcher,
  request: Omit<Dispatcher.DispatchOptions, "origin">,
  signal?: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const handler = new AnswerHandler(resolve, reject, signal);
    pool.dispatch(request, handler);
  });
}

/** Collects an answer, without the streams that undici's `request` makes for each one. */
class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #headers: Answer["headers"] = {};
  /** Known as soon as the request has a connection. */
  #controller: Dispatcher.DispatchController | undefined;

  constructor(
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
    signal?: AbortSignal,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal?.aborted) this.#abort();
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Answer["headers"],
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#end();
    const [first, ...others] = this.#chunks;
    const bytes = first && others.length === 0 ? first : Buffer.concat(this.#chunks);
    const answer = { status: this.#status, headers: this.#headers, text: bytes.toString() };
    // undici frees the connection in the next turn of the event loop. A batch that is sent before
    // would open another connection.
    setImmediate(() => setImmediate(this.#resolve, answer));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    this.#reject(error);
  }

  readonly #abort = (): void => {
    this.#end();
    this.#reject(this.#signal?.reason);
    this.#controller?.abort(this.#signal?.reason);
  };

  #end(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}

/** Names the error of an answer as the SDK does, so that both ways are judged alike. */
function answerError({ status, headers, text }: Answer, isClockCorrected: boolean): Error {
  const type = headers["x-amzn-errortype"] ?? typeInBody(text) ?? "UnknownError";
  // A type comes with a namespace before it, or with a URL behind it.
  const [beforeUrl = ""] = String(type).split(/[,:]/);
  const name = beforeUrl.split("#").at(-1) ?? beforeUrl;
  const $metadata = { httpStatusCode: status, clockSkewCorrected: isClockCorrected };
  return Object.assign(new Error(`DynamoDB answered ${status} ${name}`), { name, $metadata });
}

function typeInBody(text: string): string | undefined {
  try {
    const { __type: type, code } = JSON.parse(text);
    return type ?? code;
  } catch {
    return undefined;
  }
}
