// @ts-check
/*
 * Lambda's Node runtime: `node bootstrap.mjs FILE.EXPORT` in the folder of the code. It fetches one
 * event after another from the Runtime API, calls the handler, and sends back the answer. It is
 * plain JavaScript, because it runs on Node versions that cannot run TypeScript.
 */
import { existsSync } from "node:fs";
import { request } from "node:http";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { env } = process;
const apiUrl = `http://${env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

/** The API's path for errors: `init` at first, then that of the running invocation. */
let errorPath = "init";

// Standard input carries no data. It closes when the service ends, and this process ends with it.
process.stdin
  .once("close", () => process.exit(1))
  .resume()
  .unref();

process.once("uncaughtException", (error, origin) => {
  const errorType =
    origin === "unhandledRejection" ? "Runtime.UnhandledPromiseRejection" : undefined;
  reportError(error, errorType).finally(() => process.exit(129));
});

runEvents();

async function runEvents() {
  const handler = await loadHandler(process.argv[2] ?? "").catch(async (error) => {
    await reportError(error);
    process.exit(1);
  });
  for (;;) {
    const { headers, body } = await callApi("GET", "invocation/next");
    const requestId = String(headers["lambda-runtime-aws-request-id"]);
    errorPath = `invocation/${requestId}`;
    try {
      const result = await handler(JSON.parse(body), createContext(headers));
      await callApi("POST", `invocation/${requestId}/response`, JSON.stringify(result ?? null));
    } catch (error) {
      await reportError(error);
    }
  }
}

/** @param {string} handlerName */
async function loadHandler(handlerName) {
  const dot = handlerName.lastIndexOf(".");
  const [file, exportName] = [handlerName.slice(0, dot), handlerName.slice(dot + 1)];
  const path = resolve(`${file}.mjs`);
  if (!existsSync(path)) {
    throw namedError("Runtime.ImportModuleError", `Cannot find module '${file}'`);
  }
  const module = await import(pathToFileURL(path).href);
  if (typeof module[exportName] !== "function") {
    throw namedError("Runtime.HandlerNotFound", `${handlerName} is undefined or not exported`);
  }
  return module[exportName];
}

/** @param {import("node:http").IncomingHttpHeaders} headers */
function createContext(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

/**
 * Writes an error into the log and reports it to the API.
 * @param {unknown} error
 * @param {string} [errorType]
 */
async function reportError(error, errorType) {
  const {
    name,
    message,
    stack = "",
  } = error instanceof Error ? error : { name: typeof error, message: String(error) };
  const type = errorType ?? name;
  const body = JSON.stringify({
    errorType: type,
    errorMessage: message,
    trace: stack.split("\n"),
  });
  process.stderr.write(`${new Date().toISOString()}\tERROR\t${body}\n`);
  await callApi("POST", `${errorPath}/error`, body, {
    // A header can carry only these characters.
    "lambda-runtime-function-error-type": type.replace(/[^ -~]/g, "?"),
  });
}

/**
 * @param {string} name
 * @param {string} message
 */
function namedError(name, message) {
  return Object.assign(new Error(message), { name });
}

/**
 * Calls the API. `fetch` would give up after five minutes, and the next event may come later.
 * @param {string} method
 * @param {string} path
 * @param {string} [payload]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<{ headers: import("node:http").IncomingHttpHeaders, body: string }>}
 */
function callApi(method, path, payload, headers = {}) {
  return new Promise((resolveCall, rejectCall) => {
    const options = { method, headers, agent: false };
    const outgoing = request(`${apiUrl}/${path}`, options, (incoming) => {
      text(incoming).then((body) => resolveCall({ headers: incoming.headers, body }), rejectCall);
    });
    outgoing.once("error", rejectCall);
    outgoing.end(payload);
  });
}
