import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { compareByValue } from "../../packages/cli/src/engine/dynalite-equality.mjs";

/*
 * The engines that stand in for DynamoDB in tests. dynalite is the one that users get. dynoxide is
 * another author's, stricter, and comes as a binary for one platform. DynamoDB Local is Amazon's.
 */

const requireHere = createRequire(import.meta.url);

/** Starts an engine in memory, on a free port of its own. */
export type Launch = () => Promise<{ endpoint: string; stop: () => Promise<void> }>;

export interface AvailableEngine {
  name: string;
  launch: Launch;
  /** Why the engine cannot run on this machine. */
  missing: string | undefined;
}

export const launchDynalite: Launch = async () => {
  // dynalite has no types.
  const engine: (options: { createTableMs: number; deleteTableMs: number }) => Server =
    requireHere("dynalite");
  compareByValue();
  const server = engine({ createTableMs: 0, deleteTableMs: 0 });
  const pendingRequests = countRequests(server);
  return {
    endpoint: `http://127.0.0.1:${await listenOnFreePort(server)}`,
    async stop() {
      // dynalite throws in the middle of a request when its store is closed. Requests that have
      // arrived are therefore carried out first; the others end with their connection.
      server.closeIdleConnections();
      while (pendingRequests() > 0) await wait(5);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** Counts the requests that have arrived and are not answered yet. */
function countRequests(server: Server): () => number {
  let pending = 0;
  server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
    request.once("end", () => {
      pending += 1;
      const { end } = response;
      response.end = ((...args: Parameters<typeof end>) => {
        pending -= 1;
        return end.apply(response, args);
      }) as typeof end;
    });
    // dynalite throws a request's errors as well, when a client dies in the middle of it.
    setImmediate(() => request.removeAllListeners("error").on("error", () => {}));
  });
  return () => pending;
}

const launchDynoxide: Launch = () =>
  launchProgram((port) =>
    spawn(dynoxidePath() ?? "", ["--port", String(port)], { stdio: "ignore" }),
  );

/** The folder with the jars of DynamoDB Local. It listens on all addresses: .ci/nightly isolates it. */
const jars = process.env.TIDETABLE_DYNAMODB_LOCAL;

const dynamodbLocal: Launch = () =>
  launchProgram((port) => {
    const java = [`-Djava.library.path=${jars}`, "-cp", `${jars}/*`];
    const main = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";
    const options = ["-inMemory", "-disableTelemetry", "-port", String(port)];
    return spawn("java", [...java, main, ...options], { stdio: "ignore" });
  });

/**
 * Starts a program that takes no port 0, on a port that is free. Another process may take the port
 * first; then another one is tried.
 */
async function launchProgram(start: (port: number) => ChildProcess): ReturnType<Launch> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const port = await freePort();
    const child = start(port);
    const ended = once(child, "exit");
    const endpoint = `http://127.0.0.1:${port}`;
    while (child.exitCode === null && !(await hasAnswer(endpoint))) await wait(10);
    if (child.exitCode !== null) continue;
    const stop = async () => {
      child.kill();
      await ended;
    };
    return { endpoint, stop };
  }
  throw new Error("the engine did not start");
}

export const engines: AvailableEngine[] = [
  { name: "dynalite", launch: launchDynalite, missing: undefined },
  {
    name: "dynoxide",
    launch: launchDynoxide,
    missing: dynoxidePath()
      ? undefined
      : `@dynoxide/linux-x64 is not installed (${process.platform} ${process.arch})`,
  },
  {
    name: "DynamoDB Local",
    launch: dynamodbLocal,
    missing: jars ? undefined : "it needs Java; .ci/nightly fetches and starts it",
  },
];

/** npm leaves an optional dependency out where its platform does not fit. */
function dynoxidePath(): string | undefined {
  try {
    return requireHere.resolve("@dynoxide/linux-x64/dynoxide");
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnFreePort(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listenOnFreePort(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const hasAnswer = (endpoint: string): Promise<boolean> =>
  fetch(endpoint).then(
    () => true,
    () => false,
  );
