// @ts-check
/*
 * Lambda's Node runtime: `node bootstrap.mjs FILE.EXPORT` in the folder of the code. It asks the
 * Runtime API for one event after the other and brings back what the handler makes of it.
 * Plain JavaScript, because it runs on Node versions that do not read TypeScript.
 */
import { existsSync } from "node:fs";
import { request } from "node:http";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { env } = process;
const api = `http://${env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

/** Where an error is to be reported now. */
let place = "init";

// Nobody writes there: it ends with the service, and then this process has nobody to work for.
process.stdin
  .once("close", () => process.exit(1))
  .resume()
  .unref();

process.once("uncaughtException", (error, origin) => {
  const rejected =
    origin === "unhandledRejection" ? "Runtime.UnhandledPromiseRejection" : undefined;
  report(error, rejected).finally(() => process.exit(129));
});

main();

async function main() {
  const handler = await load(process.argv[2] ?? "").catch(async (error) => {
    await report(error);
    process.exit(1);
  });
  for (;;) {
    const { headers, body } = await call("GET", "invocation/next");
    const requestId = String(headers["lambda-runtime-aws-request-id"]);
    place = `invocation/${requestId}`;
    try {
      const result = await handler(JSON.parse(body), contextOf(headers));
      await call("POST", `${place}/response`, JSON.stringify(result ?? null));
    } catch (error) {
      await report(error);
    }
  }
}

/** @param {string} wanted */
async function load(wanted) {
  const dot = wanted.lastIndexOf(".");
  const [file, name] = [wanted.slice(0, dot), wanted.slice(dot + 1)];
  const path = resolve(`${file}.mjs`);
  if (!existsSync(path)) {
    throw named("Runtime.ImportModuleError", `Cannot find module '${file}'`);
  }
  const module = await import(pathToFileURL(path).href);
  if (typeof module[name] !== "function") {
    throw named("Runtime.HandlerNotFound", `${wanted} is undefined or not exported`);
  }
  return module[name];
}

/** @param {import("node:http").IncomingHttpHeaders} headers */
function contextOf(headers) {
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
 * Into the log, and to whoever invoked.
 * @param {unknown} error
 * @param {string} [errorType]
 */
async function report(error, errorType) {
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
  await call("POST", `${place}/error`, body, {
    // A header takes no other characters.
    "lambda-runtime-function-error-type": type.replace(/[^ -~]/g, "?"),
  });
}

/**
 * @param {string} name
 * @param {string} message
 */
function named(name, message) {
  return Object.assign(new Error(message), { name });
}

/**
 * Not `fetch`, which gives up after five minutes: the next event may be longer away.
 * @param {string} method
 * @param {string} path
 * @param {string} [payload]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<{ headers: import("node:http").IncomingHttpHeaders, body: string }>}
 */
function call(method, path, payload, headers = {}) {
  return new Promise((done, failed) => {
    const options = { method, headers, agent: false };
    const outgoing = request(`${api}/${path}`, options, (incoming) => {
      text(incoming).then((body) => done({ headers: incoming.headers, body }), failed);
    });
    outgoing.once("error", failed);
    outgoing.end(payload);
  });
}
