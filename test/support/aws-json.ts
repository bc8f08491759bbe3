import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { openLoopbackServer } from "../../packages/cli/src/base/loopback.ts";

/** An error of AWS, with its name and its message. */
export class Refused extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each operation knows the type of its input.
type Operations = Record<string, (input: any) => object | Promise<object>>;

/** Opens a service with one of AWS's JSON protocols, as SQS and Secrets Manager have it. Returns its URL. */
export async function openAwsJson(operations: Operations): Promise<string> {
  const { url, close } = await openLoopbackServer(async (request, response) => {
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const input = JSON.parse(await text(request));
    const { status, body } = await answerOperation(operations[operation], input);
    response.writeHead(status, { "content-type": String(request.headers["content-type"]) });
    response.end(JSON.stringify(body));
  });
  onTestFinished(close);
  return url;
}

async function answerOperation(operation: Operations[string] | undefined, input: unknown) {
  if (!operation) return { status: 400, body: { __type: "UnknownOperationException" } };
  try {
    return { status: 200, body: await operation(input) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { status: 400, body: { __type: error.name, message: error.message } };
  }
}
