import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { compareByValue } from "../../packages/local/src/dynalite-equality.mjs";

/*
 * The engines that stand in for DynamoDB here. dynalite is the one that users get; dynoxide is
 * another author's, stricter, and comes as a binary for one platform.
 */

const load = createRequire(import.meta.url);

/** Starts an engine in memory, on a free port of its own. */
export type Launch = () => Promise<{ endpoint: string; stop: () => Promise<void> }>;

export interface AvailableEngine {
  name: string;
  launch: Launch;
  /** Why it can not run here. */
  missing: string | undefined;
}

export const dynalite: Launch = async () => {
  // It has no types of its own.
  const engine: (options: { createTableMs: number; deleteTableMs: number }) => Server =
    load("dynalite");
  compareByValue();
  const server = engine({ createTableMs: 0, deleteTableMs: 0 });
  const underWay = countRequests(server);
  return {
    endpoint: `http://127.0.0.1:${await listen(server)}`,
    async stop() {
      // dynalite throws out of the middle of a request whose store is closed: those that it has got
      // are carried out, the others go down with their connection.
      server.closeIdleConnections();
      while (underWay() > 0) await wait(5);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** How many requests have come whole and are not answered yet. */
function countRequests(server: Server): () => number {
  let underWay = 0;
  server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
    request.once("end", () => {
      underWay += 1;
      const { end } = response;
      response.end = ((...given: Parameters<typeof end>) => {
        underWay -= 1;
        return end.apply(response, given);
      }) as typeof end;
    });
    // dynalite throws these too, where a client dies in the middle of a request.
    setImmediate(() => request.removeAllListeners("error").on("error", () => {}));
  });
  return () => underWay;
}

const dynoxide: Launch = async () => {
  // It takes no port 0, and another process may take the free one first: then it is tried again.
  for (let attempt = 1; attempt <= 5; attempt++) {
    const port = await freePort();
    const child = spawn(binary() ?? "", ["--port", String(port)], { stdio: "ignore" });
    const ended = once(child, "exit");
    const endpoint = `http://127.0.0.1:${port}`;
    while (child.exitCode === null && !(await answers(endpoint))) await wait(10);
    if (child.exitCode !== null) continue;
    const stop = async () => {
      child.kill();
      await ended;
    };
    return { endpoint, stop };
  }
  throw new Error("dynoxide did not start");
};

export const engines: AvailableEngine[] = [
  { name: "dynalite", launch: dynalite, missing: undefined },
  {
    name: "dynoxide",
    launch: dynoxide,
    missing: binary()
      ? undefined
      : `@dynoxide/linux-x64 is not installed (${process.platform} ${process.arch})`,
  },
];

/** npm leaves an optional dependency out where its platform does not fit. */
function binary(): string | undefined {
  try {
    return load.resolve("@dynoxide/linux-x64/dynoxide");
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const answers = (endpoint: string) =>
  fetch(endpoint).then(
    () => true,
    () => false,
  );
