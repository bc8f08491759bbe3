import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { request } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Network } from "../../packages/core/src/base/addresses.ts";
import { httpAgent } from "../../packages/core/src/extract/http/agent.ts";

/** What a name server says; undefined asks the real one. */
let answer: (() => unknown[]) | undefined;
vi.mock("node:dns", async (original) => {
  const dns = await original<typeof import("node:dns")>();
  const lookup = ((name: string, options: object, done: (...found: unknown[]) => void) =>
    answer ? done(null, answer()) : dns.lookup(name, options, done as never)) as typeof dns.lookup;
  return { ...dns, lookup };
});

/** A server on both loopback addresses, and what it sees. */
async function openServer() {
  const seen = { connections: 0, requests: 0 };
  const server = createServer((_, response) => {
    seen.requests += 1;
    response.end("here");
  }).on("connection", () => {
    seen.connections += 1;
  });
  await new Promise<void>((done) => server.listen(0, "::", done));
  onTestFinished(() => {
    answer = undefined;
    server.closeAllConnections();
    server.close();
  });
  return { seen, port: (server.address() as AddressInfo).port };
}

async function get(url: string, network: Network | undefined) {
  const dispatcher = network ? httpAgent(network) : httpAgent();
  onTestFinished(() => dispatcher.destroy());
  const { body } = await request(url, { dispatcher });
  return body.text();
}

const spellings = [
  "127.0.0.1",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "127.1",
  "１２７.0.0.1",
  "127.0.0.1.",
  "0",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:0:0:1]",
  "localhost",
];

describe("a worker in AWS (P16)", () => {
  test.each(spellings)("sends nothing to its own machine as %s", async (host) => {
    const { seen, port } = await openServer();
    for (const network of [undefined, "vpc"] as const) {
      await expect(get(`https://${host}:${port}/`, network)).rejects.toMatchObject({
        name: "RequestError",
        code: "extract.address",
        retryable: false,
        message: expect.stringMatching(/a loopback address, and nothing is sent there$/),
      });
    }
    expect(seen).toEqual({ connections: 0, requests: 0 });
  });

  test("sends nothing in the clear", async () => {
    const { seen, port } = await openServer();
    for (const network of ["internet", "vpc"] as const) {
      await expect(get(`http://localhost:${port}/`, network)).rejects.toMatchObject({
        code: "extract.insecure",
        message: `http://localhost:${port} is not https, and a worker in AWS sends nothing in the clear`,
      });
    }
    expect(seen.connections).toBe(0);
  });

  test.each([
    "https://169.254.169.254/",
    "https://[fd00:ec2::254]/",
    "https://0xa9fea9fe/",
  ])("asks %s for nothing, from a vpc neither", async (url) => {
    await expect(get(url, "vpc")).rejects.toMatchObject({ code: "extract.address" });
  });

  test("names the way out where an address is private", async () => {
    await expect(get("https://10.1.2.3/", "internet")).rejects.toMatchObject({
      message: "10.1.2.3 is a private address, and nothing is sent there",
      hint: expect.stringContaining("function.vpc"),
    });
  });

  test("refuses a name by any bad address among its good ones: which is taken, a race decides", async () => {
    const { seen, port } = await openServer();
    answer = () => [
      { address: "2606:4700::1111", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ];
    await expect(get(`https://api.example.com:${port}/`, "internet")).rejects.toThrow(
      "api.example.com leads to 127.0.0.1, a loopback address, and nothing is sent there",
    );
    expect(seen.connections).toBe(0);
  });

  test("asks again for each connection, so that a name that moves is refused then", async () => {
    const { seen, port } = await openServer();
    const answers = ["192.0.2.1", "127.0.0.1", "::1"];
    answer = () => [{ address: answers.shift(), family: 4 }];
    for (let n = 0; n < 3; n++) {
      await expect(get(`https://api.example.com:${port}/`, "internet")).rejects.toMatchObject({
        code: "extract.address",
      });
    }
    expect(seen.connections).toBe(0);
  });
});

test("the socket has the last word, before a handshake or a request is on it", async () => {
  const bytes: Buffer[] = [];
  const server = createTcpServer((socket) => {
    socket.on("data", (chunk) => bytes.push(chunk)).on("error", () => {});
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  // As if it had changed between the look at it and its use.
  const looks = ["2606:4700::1111"];
  const moving = {
    family: 4,
    get address() {
      return looks.pop() ?? "127.0.0.1";
    },
  };
  answer = () => [moving];
  await expect(get(`https://api.example.com:${port}/`, "internet")).rejects.toThrow(
    "api.example.com leads to 127.0.0.1, a loopback address, and nothing is sent there",
  );
  await new Promise((done) => setTimeout(done, 50));
  expect(Buffer.concat(bytes)).toHaveLength(0);
});

describe("local mode", () => {
  test.each(spellings)("reads from this machine as %s", async (host) => {
    const { port } = await openServer();
    expect(await get(`http://${host}:${port}/`, "machine")).toBe("here");
  });

  test("asks for metadata no more than others", async () => {
    await expect(get("http://169.254.169.254/latest", "machine")).rejects.toMatchObject({
      code: "extract.address",
    });
  });
});
