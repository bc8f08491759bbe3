import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { realClock as clock } from "../../packages/core/src/base/clock.ts";
import { httpAgent, type Proxies } from "../../packages/core/src/extract/http/agent.ts";
import { sendRequest } from "../../packages/core/src/extract/http/transport.ts";
import { openCliFolder } from "../support/cli.ts";
import { type Fault, openFaultyApi, sendAnswer } from "../support/faults.ts";
import { testWorld } from "./fixtures.ts";

const KEY = "canary-key-of-a-proxied-request";

/** Makes a request through proxies, as the engine does. */
async function fetchText(
  url: string,
  proxies: Proxies,
  network: "internet" | "machine" = "machine",
) {
  const http = httpAgent(network, proxies);
  onTestFinished(() => http.destroy());
  const request = { method: "GET" as const, url: `${url}/rows?api_key=${KEY}`, headers: {} };
  const { body } = await sendRequest(request, testWorld({ http, clock }), 10_000);
  return body.toString();
}

/** A proxy for plain http. Clients ask it for whole URLs, and it answers in the name of any host. */
async function openProxy(answer: Fault = sendAnswer("[]")) {
  const heads: string[] = [];
  const proxy = await openFaultyApi((socket, request) => {
    heads.push(request.head);
    answer(socket, request);
  });
  return { ...proxy, heads };
}

/** A proxy for https. Clients ask it for a tunnel, whose socket it hands to `end`. */
async function openTunnelProxy(end: (socket: Socket) => void, status = "200 Established") {
  const heads: string[] = [];
  const passedChunks: Buffer[] = [];
  const proxy = createHttpServer().on("connect", (request, socket: Socket) => {
    heads.push(`${request.url} ${JSON.stringify(request.headers)}`);
    socket.on("error", () => {}).on("data", (bytes) => passedChunks.push(bytes));
    if (status) socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
    end(socket);
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, heads, passedChunks };
}

describe("a proxy for http", () => {
  test("a proxy for http is asked for the whole URL, and may be named without a scheme", async () => {
    const proxy = await openProxy();
    for (const http of [proxy.url, proxy.url.replace("http://", "")]) {
      expect(await fetchText("http://api.example.com", { http })).toBe("[]");
    }
    const askedUrl = `http://api.example.com/rows?api_key=${KEY}`;
    expect(proxy.requests).toEqual([askedUrl, askedUrl]);
    expect(proxy.heads[0]).toMatch(/^host: api\.example\.com\r$/im);
  });

  test("a proxy for http gets its password, which stands in no message", async () => {
    const proxy = await openProxy(sendAnswer("", {}, "407 Proxy Authentication Required"));
    const http = proxy.url.replace("http://", "http://me:canary-word@");
    await expect(fetchText("http://api.example.com", { http })).rejects.toMatchObject({
      code: "extract.proxy",
      message: "GET /rows: the proxy did not let the request to http://api.example.com through",
      retryable: true,
    });
    const pair = Buffer.from("me:canary-word").toString("base64");
    expect(proxy.heads[0]).toContain(`proxy-authorization: Basic ${pair}`);
  });

  test("a proxy for http is not asked for the hosts of NO_PROXY", async () => {
    const proxy = await openProxy();
    const api = await openFaultyApi(sendAnswer("[1]"));
    const { port } = new URL(api.url);
    const proxies = { http: proxy.url, none: "example.com,127.0.0.1" };
    expect(await fetchText(`http://127.0.0.1:${port}`, proxies)).toBe("[1]");
    expect(proxy.requests).toEqual([]);
    expect(await fetchText(`http://127.0.0.1:${port}`, { http: proxy.url })).toBe("[]");
    expect(proxy.requests).toHaveLength(1);
  });
});

describe("a proxy for https", () => {
  test("a proxy for https is asked for a tunnel, and sees no part of the request", async () => {
    const proxy = await openTunnelProxy((socket) => setTimeout(() => socket.destroy(), 50));
    const pendingText = fetchText("https://api.example.com", { https: proxy.url }, "internet");
    await expect(pendingText).rejects.toMatchObject({ code: "extract.network", retryable: true });
    expect(proxy.heads[0]).toMatch(/^api\.example\.com:443 /);
    const bytes = Buffer.concat(proxy.passedChunks);
    // TLS begins with these bytes.
    expect(bytes.subarray(0, 2).toString("hex")).toBe("1603");
    expect(proxy.heads + bytes.toString("latin1")).not.toContain(KEY);
  });

  test("the error of a proxy that refuses a tunnel names the proxy", async () => {
    const proxy = await openTunnelProxy((socket) => socket.end(), "403 Forbidden");
    const pendingText = fetchText("https://api.example.com", { https: proxy.url }, "internet");
    await expect(pendingText).rejects.toMatchObject({
      code: "extract.proxy",
      message: "GET /rows: the proxy did not let the request to https://api.example.com through",
    });
  });

  test("a proxy for https that sends nothing is given up after the request's time limit (P10)", async () => {
    const proxy = await openTunnelProxy(() => {}, "");
    const http = httpAgent("internet", { https: proxy.url });
    onTestFinished(() => http.destroy());
    const request = { method: "GET" as const, url: "https://api.example.com/rows", headers: {} };
    await expect(sendRequest(request, testWorld({ http, clock }), 100)).rejects.toMatchObject({
      code: "extract.timeout",
    });
    expect(proxy.heads).toHaveLength(1);
  });

  test("a proxy does not open addresses that the URL alone forbids (P16)", async () => {
    const proxy = await openTunnelProxy((socket) => socket.end());
    for (const [url, code] of [
      ["https://169.254.169.254", "extract.address"],
      ["https://127.0.0.1", "extract.address"],
      ["http://api.example.com", "extract.insecure"],
    ] as const) {
      const proxies = { http: proxy.url, https: proxy.url };
      await expect(fetchText(url, proxies, "internet")).rejects.toMatchObject({ code });
    }
    expect(proxy.heads).toEqual([]);
  });
});

test("the hint for a proxy that is not there names the proxy", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  await expect(
    fetchText("http://api.example.com", { http: `http://127.0.0.1:${port}` }),
  ).rejects.toMatchObject({ code: "extract.network", hint: expect.stringContaining("proxy") });
});

test.each([
  "socks5://me:canary-word@127.0.0.1:1080",
  "http://",
  "::",
])("%s is no URL of an http proxy, and is refused without a quotation", (https) => {
  expect(() => httpAgent("internet", { https })).toThrow(
    /^HTTPS_PROXY is no URL of an http proxy$/,
  );
});

test("the command line takes its proxies from the environment", async () => {
  const proxy = await openProxy((socket, { target }) =>
    sendAnswer(new URL(target).search.includes("offset=0") ? '[{"id":1}]' : "[]")(socket, {
      target,
      head: "",
    }),
  );
  const { cli } = await openCliFolder({
    "far.json": {
      client: { base_url: "http://api.example.com", paginator: { type: "offset", limit: 1 } },
      resources: [{ name: "rows", primary_key: "id" }],
    },
    "safe.json": {
      client: { base_url: "https://api.example.com" },
      resources: [{ name: "rows", endpoint: { error_handler: { max_retries: 0 } } }],
    },
  });
  const ended = await cli(["run", "far.json", "--json"], { HTTP_PROXY: proxy.url });
  expect(ended.json()).toMatchObject({ status: "succeeded" });
  expect(proxy.requests[0]).toMatch(/^http:\/\/api\.example\.com\/rows\?/);

  const tunnels = await openTunnelProxy((socket) => socket.end());
  const secure = await cli(["run", "safe.json", "--json"], { HTTPS_PROXY: tunnels.url });
  expect(secure.json()).toMatchObject({ resources: [{ error: { code: "extract.network" } }] });
  expect(tunnels.heads[0]).toMatch(/^api\.example\.com:443 /);
}, 60_000);
