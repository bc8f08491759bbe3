import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { realClock as clock } from "../../packages/core/src/base/clock.ts";
import { httpAgent, type Proxies } from "../../packages/core/src/extract/http/agent.ts";
import { sendRequest } from "../../packages/core/src/extract/http/transport.ts";
import { cliFolder } from "../support/cli.ts";
import { sendAnswer, type Fault, openFaultyApi } from "../support/faults.ts";
import { testWorld } from "./fixtures.ts";

const KEY = "canary-key-of-a-proxied-request";

/** A request as the engine makes it, behind proxies. */
async function get(url: string, proxies: Proxies, network: "internet" | "machine" = "machine") {
  const http = httpAgent(network, proxies);
  onTestFinished(() => http.destroy());
  const request = { method: "GET" as const, url: `${url}/rows?api_key=${KEY}`, headers: {} };
  const { body } = await sendRequest(request, testWorld({ http, clock }), 10_000);
  return body.toString();
}

/** A proxy for plain http: it is asked for whole URLs, and answers in the name of any host. */
async function openProxy(answer: Fault = sendAnswer("[]")) {
  const heads: string[] = [];
  const proxy = await openFaultyApi((socket, asked) => {
    heads.push(asked.head);
    answer(socket, asked);
  });
  return { ...proxy, heads };
}

/** A proxy for https: it is asked for a tunnel, through which it gives out what `end` does. */
async function openTunnels(end: (socket: Socket) => void, status = "200 Established") {
  const heads: string[] = [];
  const passed: Buffer[] = [];
  const proxy = createHttpServer().on("connect", (request, socket: Socket) => {
    heads.push(`${request.url} ${JSON.stringify(request.headers)}`);
    socket.on("error", () => {}).on("data", (bytes) => passed.push(bytes));
    if (status) socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
    end(socket);
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, heads, passed };
}

describe("a proxy for http", () => {
  test("is asked for the whole URL, and its name may be given without a scheme", async () => {
    const proxy = await openProxy();
    for (const http of [proxy.url, proxy.url.replace("http://", "")]) {
      expect(await get("http://api.example.com", { http })).toBe("[]");
    }
    const asked = `http://api.example.com/rows?api_key=${KEY}`;
    expect(proxy.requests).toEqual([asked, asked]);
    expect(proxy.heads[0]).toMatch(/^host: api\.example\.com\r$/im);
  });

  test("gets its own password, and it stands in no message", async () => {
    const proxy = await openProxy(sendAnswer("", {}, "407 Proxy Authentication Required"));
    const http = proxy.url.replace("http://", "http://me:canary-word@");
    await expect(get("http://api.example.com", { http })).rejects.toMatchObject({
      code: "extract.proxy",
      message: "GET /rows: the proxy did not let the request to http://api.example.com through",
      retryable: true,
    });
    const pair = Buffer.from("me:canary-word").toString("base64");
    expect(proxy.heads[0]).toContain(`proxy-authorization: Basic ${pair}`);
  });

  test("is not asked for the hosts of NO_PROXY", async () => {
    const proxy = await openProxy();
    const api = await openFaultyApi(sendAnswer("[1]"));
    const { port } = new URL(api.url);
    const proxies = { http: proxy.url, none: "example.com,127.0.0.1" };
    expect(await get(`http://127.0.0.1:${port}`, proxies)).toBe("[1]");
    expect(proxy.requests).toEqual([]);
    expect(await get(`http://127.0.0.1:${port}`, { http: proxy.url })).toBe("[]");
    expect(proxy.requests).toHaveLength(1);
  });
});

describe("a proxy for https", () => {
  test("is asked for a tunnel, and sees nothing of what goes through it", async () => {
    const proxy = await openTunnels((socket) => setTimeout(() => socket.destroy(), 50));
    const asking = get("https://api.example.com", { https: proxy.url }, "internet");
    await expect(asking).rejects.toMatchObject({ code: "extract.network", retryable: true });
    expect(proxy.heads[0]).toMatch(/^api\.example\.com:443 /);
    const bytes = Buffer.concat(proxy.passed);
    // How TLS begins.
    expect(bytes.subarray(0, 2).toString("hex")).toBe("1603");
    expect(proxy.heads + bytes.toString("latin1")).not.toContain(KEY);
  });

  test("that does not let it through is named", async () => {
    const proxy = await openTunnels((socket) => socket.end(), "403 Forbidden");
    const asking = get("https://api.example.com", { https: proxy.url }, "internet");
    await expect(asking).rejects.toMatchObject({
      code: "extract.proxy",
      message: "GET /rows: the proxy did not let the request to https://api.example.com through",
    });
  });

  test("that says nothing is not waited for longer than for an answer (P10)", async () => {
    const proxy = await openTunnels(() => {}, "");
    const http = httpAgent("internet", { https: proxy.url });
    onTestFinished(() => http.destroy());
    const request = { method: "GET" as const, url: "https://api.example.com/rows", headers: {} };
    await expect(sendRequest(request, testWorld({ http, clock }), 100)).rejects.toMatchObject({
      code: "extract.timeout",
    });
    expect(proxy.heads).toHaveLength(1);
  });

  test("opens no way that a URL by itself closes (P16)", async () => {
    const proxy = await openTunnels((socket) => socket.end());
    for (const [url, code] of [
      ["https://169.254.169.254", "extract.address"],
      ["https://127.0.0.1", "extract.address"],
      ["http://api.example.com", "extract.insecure"],
    ] as const) {
      const proxies = { http: proxy.url, https: proxy.url };
      await expect(get(url, proxies, "internet")).rejects.toMatchObject({ code });
    }
    expect(proxy.heads).toEqual([]);
  });
});

test("a proxy that is not there is not taken for the API", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  await expect(
    get("http://api.example.com", { http: `http://127.0.0.1:${port}` }),
  ).rejects.toMatchObject({ code: "extract.network", hint: expect.stringContaining("proxy") });
});

test.each([
  "socks5://me:canary-word@127.0.0.1:1080",
  "http://",
  "::",
])("what is no URL of an http proxy is refused and not quoted: %s", (https) => {
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
  const { cli } = await cliFolder({
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

  const tunnels = await openTunnels((socket) => socket.end());
  const secure = await cli(["run", "safe.json", "--json"], { HTTPS_PROXY: tunnels.url });
  expect(secure.json()).toMatchObject({ resources: [{ error: { code: "extract.network" } }] });
  expect(tunnels.heads[0]).toMatch(/^api\.example\.com:443 /);
}, 60_000);
