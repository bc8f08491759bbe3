import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { request } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Network } from "../../packages/core/src/base/addresses.ts";
import { httpAgent } from "../../packages/core/src/extract/http/agent.ts";

/** The answer of the name server; undefined asks the real one. */
let dnsAnswer: (() => unknown[]) | undefined;
vi.mock("node:dns", async (original) => {
  const dns = await original<typeof import("node:dns")>();
  const lookup = ((name: string, options: object, done: (...result: unknown[]) => void) =>
    dnsAnswer
      ? done(null, dnsAnswer())
      : dns.lookup(name, options, done as never)) as typeof dns.lookup;
  return { ...dns, lookup };
});

/** A server on both loopback addresses, with counts of its connections and requests. */
async function openServer() {
  const counts = { connections: 0, requests: 0 };
  const server = createServer((_, response) => {
    counts.requests += 1;
    response.end("here");
  }).on("connection", () => {
    counts.connections += 1;
  });
  await new Promise<void>((done) => server.listen(0, "::", done));
  onTestFinished(() => {
    dnsAnswer = undefined;
    server.closeAllConnections();
    server.close();
  });
  return { counts, port: (server.address() as AddressInfo).port };
}

async function fetchText(url: string, network: Network | undefined) {
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

describe("a worker in AWS", () => {
  test.each(
    spellings,
  )("a worker in AWS sends nothing to its own machine as %s (P16)", async (host) => {
    const { counts, port } = await openServer();
    for (const network of [undefined, "vpc"] as const) {
      await expect(fetchText(`https://${host}:${port}/`, network)).rejects.toMatchObject({
        name: "RequestError",
        code: "extract.address",
        retryable: false,
        message: expect.stringMatching(/a loopback address, and nothing is sent there$/),
      });
    }
    expect(counts).toEqual({ connections: 0, requests: 0 });
  });

  test("a worker in AWS sends nothing in the clear (P16)", async () => {
    const { counts, port } = await openServer();
    for (const network of ["internet", "vpc"] as const) {
      await expect(fetchText(`http://localhost:${port}/`, network)).rejects.toMatchObject({
        code: "extract.insecure",
        message: `http://localhost:${port} is not https, and a worker in AWS sends nothing in the clear`,
      });
    }
    expect(counts.connections).toBe(0);
  });

  test.each([
    "https://169.254.169.254/",
    "https://[fd00:ec2::254]/",
    "https://0xa9fea9fe/",
  ])("a worker in AWS asks %s for nothing, even in a vpc (P16)", async (url) => {
    await expect(fetchText(url, "vpc")).rejects.toMatchObject({ code: "extract.address" });
  });

  test("the error of a private address names function.vpc (P16)", async () => {
    await expect(fetchText("https://10.1.2.3/", "internet")).rejects.toMatchObject({
      message: "10.1.2.3 is a private address, and nothing is sent there",
      hint: expect.stringContaining("function.vpc"),
    });
  });

  test("a name with a forbidden address among good ones is refused (P16)", async () => {
    const { counts, port } = await openServer();
    dnsAnswer = () => [
      { address: "2606:4700::1111", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ];
    await expect(fetchText(`https://api.example.com:${port}/`, "internet")).rejects.toThrow(
      "api.example.com leads to 127.0.0.1, a loopback address, and nothing is sent there",
    );
    expect(counts.connections).toBe(0);
  });

  test("each connection looks the name up again, and a name that moves is refused (P16)", async () => {
    const { counts, port } = await openServer();
    const answers = ["192.0.2.1", "127.0.0.1", "::1"];
    dnsAnswer = () => [{ address: answers.shift(), family: 4 }];
    for (let n = 0; n < 3; n++) {
      await expect(fetchText(`https://api.example.com:${port}/`, "internet")).rejects.toMatchObject(
        {
          code: "extract.address",
        },
      );
    }
    expect(counts.connections).toBe(0);
  });
});

test("the address that a socket reached is checked before a handshake or a request (P16)", async () => {
  const bytes: Buffer[] = [];
  const server = createTcpServer((socket) => {
    socket.on("data", (chunk) => bytes.push(chunk)).on("error", () => {});
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  // The address changes between its check and its use.
  const addresses = ["2606:4700::1111"];
  const movingEntry = {
    family: 4,
    get address() {
      return addresses.pop() ?? "127.0.0.1";
    },
  };
  dnsAnswer = () => [movingEntry];
  await expect(fetchText(`https://api.example.com:${port}/`, "internet")).rejects.toThrow(
    "api.example.com leads to 127.0.0.1, a loopback address, and nothing is sent there",
  );
  await new Promise((done) => setTimeout(done, 50));
  expect(Buffer.concat(bytes)).toHaveLength(0);
});

describe("local mode", () => {
  test.each(spellings)("local mode reads from this machine as %s", async (host) => {
    const { port } = await openServer();
    expect(await fetchText(`http://${host}:${port}/`, "machine")).toBe("here");
  });

  test("local mode asks for no metadata either (P16)", async () => {
    await expect(fetchText("http://169.254.169.254/latest", "machine")).rejects.toMatchObject({
      code: "extract.address",
    });
  });
});
