import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { openLoopbackServer } from "../../packages/local/src/base/loopback.ts";

/** What AWS refuses, by its name and in its words. */
export class Refused extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each operation knows what its input is.
type Operations = Record<string, (input: any) => object | Promise<object>>;

/** A service that speaks one of AWS's JSON protocols, as SQS and Secrets Manager do. */
export async function openAwsJson(operations: Operations): Promise<string> {
  const { url, close } = await openLoopbackServer(async (request, response) => {
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const input = JSON.parse(await text(request));
    const { status, body } = await answer(operations[operation], input);
    response.writeHead(status, { "content-type": String(request.headers["content-type"]) });
    response.end(JSON.stringify(body));
  });
  onTestFinished(close);
  return url;
}

async function answer(operation: Operations[string] | undefined, input: unknown) {
  if (!operation) return { status: 400, body: { __type: "UnknownOperationException" } };
  try {
    return { status: 200, body: await operation(input) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { status: 400, body: { __type: error.name, message: error.message } };
  }
}
