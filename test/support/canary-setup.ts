import { type IncomingMessage, Server, ServerResponse } from "node:http";
import { afterEach, expect } from "vitest";
import { findLeaks, guardSecret, recordOutput } from "./canary.ts";

/*
 * Runs before each test file. The stand-ins of AWS are servers in the process of the test, also for
 * the commands that it starts. The canary learns the secrets from their answers, and searches the
 * requests that store something.
 */

for (const name of ["stdout", "stderr"] as const) {
  const { write } = process[name];
  process[name].write = function (this: unknown, ...args: Parameters<typeof write>) {
    recordOutput(name, String(args[0]));
    return write.apply(process[name], args);
  } as typeof write;
}

const { end } = ServerResponse.prototype;
ServerResponse.prototype.end = function (this: ServerResponse, ...args: unknown[]) {
  if (typeof args[0] === "string") learnFrom(args[0]);
  return end.apply(this, args as Parameters<typeof end>);
} as typeof end;

/** Registers the members of secrets, and tokens. */
function learnFrom(answer: string): void {
  if (!/"(SecretString|access_token|refresh_token)"/.test(answer)) return;
  const { SecretString, access_token, refresh_token } = parseObject(answer);
  const members = Object.values(parseObject(String(SecretString)));
  for (const value of [...members, access_token, refresh_token]) {
    if (value !== undefined) guardSecret(String(value));
  }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

const { emit } = Server.prototype;
Server.prototype.emit = function (this: Server, ...args: Parameters<typeof emit>) {
  const [event, request] = args as unknown as [string, IncomingMessage];
  if (event === "request" && request.headers["x-amz-target"]) {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      learnFrom(body);
      // Only the state table is searched: other tables hold whatever the API sends.
      if (/"[^"]*-state"/.test(body)) recordOutput("state table", body);
    });
  }
  return emit.apply(this, args);
} as typeof emit;

afterEach(() => {
  expect(findLeaks(), "sinks with a secret of this test in them").toEqual([]);
});
