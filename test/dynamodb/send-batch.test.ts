import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Dynamodb } from "../../packages/core/src/base/world.ts";
import {
  batchSenderOf,
  withoutSendBatch,
} from "../../packages/core/src/dynamodb/batch-commands.ts";
import { classifyError, errorName } from "../../packages/core/src/dynamodb/client.ts";
import { clientOf } from "../support/dynamodb.ts";

const body = '{"RequestItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"é"}}}}]}}';

type Handle = (request: IncomingMessage, response: ServerResponse, text: string) => void;

let closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers) await close();
  closers = [];
});

/** A server in the place of DynamoDB, and a client for it. */
async function openDynamodb(handle: Handle, overrides: object = {}) {
  const requests: { headers: IncomingMessage["headers"]; text: string }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      requests.push({ headers: request.headers, text });
      handle(request, response, text);
    });
  });
  server.on("connection", (socket) => sockets.add(socket));
  const endpoint = await listen(server);
  const client = clientOf(endpoint, overrides);
  closers.push(
    () => client.destroy(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { client, requests, sockets, endpoint, server, write: writerOf(client) };
}

const listen = (server: Server): Promise<string> =>
  new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ),
  );

const writerOf = (client: Dynamodb) => (signal?: AbortSignal) =>
  batchSenderOf(client)("BatchWriteItem", body, signal);

const succeed: Handle = (_, response) => response.end('{"UnprocessedItems":{}}');
const answer =
  (status: number, text: string, headers: Record<string, string> = {}): Handle =>
  (_, response) =>
    response.writeHead(status, headers).end(text);
const errorBody = (type: string) => JSON.stringify({ __type: `com.amazonaws#${type}` });

/** The error of a request, and what the engine makes of it. */
async function failureOf(sending: Promise<unknown>) {
  const error = await sending.then(
    () => {
      throw new Error("it did not fail");
    },
    (reason: unknown) => reason,
  );
  return { kind: classifyError(error), name: errorName(error), error };
}

const isoTime = (amzDate: string) =>
  Date.parse(amzDate.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));

describe("a batch as text", () => {
  it("a batch reaches DynamoDB as it was written, with the head and the signature of the SDK's command", async () => {
    const { client, requests, write } = await openDynamodb(succeed);
    expect(await write()).toEqual({ UnprocessedItems: {} });
    await client.send(new BatchWriteItemCommand(JSON.parse(body)));
    const [own, sdk] = requests;
    expect(own?.text).toBe(body);
    expect(sdk?.text).toBe(body);
    for (const name of ["host", "content-type", "content-length", "x-amz-target"]) {
      expect(own?.headers[name]).toBe(sdk?.headers[name]);
    }
    // A signature of both has the same form, scope and credentials.
    const scopeOf = (text = "") => text.replace(/SignedHeaders.*/, "");
    expect(scopeOf(own?.headers.authorization)).toBe(scopeOf(sdk?.headers.authorization));
  });

  it("batches share connections, and each takes one that is free", async () => {
    const { sockets, write } = await openDynamodb((_, response) => {
      setTimeout(() => response.end("{}"), 20);
    });
    await Promise.all([write(), write(), write()]);
    await Promise.all([write(), write(), write()]);
    expect(sockets.size).toBe(3);
  });

  it("a destroyed client ends a batch that is under way", async () => {
    const { client, write } = await openDynamodb(() => client.destroy());
    expect((await failureOf(write())).name).toMatch(/UND_ERR_DESTROYED|ECONNRESET/);
  });

  it("the endpoint comes from the environment, as for the SDK's commands", async () => {
    const { endpoint, requests } = await openDynamodb(succeed);
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", endpoint);
    const client = clientOf("", { endpoint: undefined });
    closers.push(() => client.destroy(), vi.unstubAllEnvs);
    await writerOf(client)();
    expect(requests).toHaveLength(1);
  });

  it("a client of a region asks the region's endpoint, also by account id", async () => {
    const credentials = { accessKeyId: "a", secretAccessKey: "s", accountId: "111122223333" };
    for (const [mode, host] of [
      ["disabled", "dynamodb.eu-west-1.amazonaws.com"],
      ["preferred", "111122223333.ddb.eu-west-1.amazonaws.com"],
    ]) {
      const client = clientOf("", {
        endpoint: undefined,
        region: "eu-west-1",
        accountIdEndpointMode: mode,
        credentials,
      });
      const signed = new Promise((resolve) => {
        client.config.signer = async () =>
          ({
            sign: async (request: { headers: { host: string } }) => {
              resolve(request.headers.host);
              throw new Error("signed");
            },
          }) as never;
      });
      await writerOf(client)().catch(() => {});
      expect(await signed).toBe(host);
      client.destroy();
    }
  });
});

describe("signatures", () => {
  it("a wrong clock of this machine is corrected by the first answer, and the batch is worth another attempt", async () => {
    const ahead = 3_600_000;
    const { client, requests, write } = await openDynamodb((request, response) => {
      const signedAt = isoTime(String(request.headers["x-amz-date"]));
      const now = Date.now() + ahead;
      response.setHeader("date", new Date(now).toUTCString());
      if (Math.abs(signedAt - now) < 300_000) response.end("{}");
      else response.writeHead(400).end(errorBody("InvalidSignatureException"));
    });
    expect(await failureOf(write())).toMatchObject({
      kind: "unavailable",
      name: "InvalidSignatureException",
    });
    expect(await write()).toEqual({});
    // Both ways share the corrected clock.
    await client.send(new BatchWriteItemCommand(JSON.parse(body)));
    expect(requests).toHaveLength(3);
  });

  it("a wrong signature at the right time is refused and not tried again", async () => {
    const { write } = await openDynamodb(answer(400, errorBody("InvalidSignatureException")));
    expect((await failureOf(write())).kind).toBe("refused");
  });

  it("the time of an answer from a cache changes nothing", async () => {
    const headers = { date: new Date(0).toUTCString(), age: "100" };
    const { client, write } = await openDynamodb(answer(200, "{}", headers));
    await write();
    expect(client.config.systemClockOffset).toBe(0);
  });

  it("credentials that expire are renewed before the next batch", async () => {
    let issued = 0;
    // The SDK renews credentials 5 minutes before they expire.
    let lifetime = 60_000;
    const credentials = async () => {
      issued += 1;
      const expiration = new Date(Date.now() + lifetime);
      return { accessKeyId: `key${issued}`, secretAccessKey: "s", sessionToken: "t", expiration };
    };
    const { requests, write } = await openDynamodb(succeed, { credentials });
    const keyOf = async () => {
      await write();
      return /Credential=(\w+)/.exec(String(requests.at(-1)?.headers.authorization))?.[1];
    };
    const first = await keyOf();
    const second = await keyOf();
    lifetime = 7_200_000;
    const third = await keyOf();
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await keyOf()).toBe(third);
    expect(requests[0]?.headers["x-amz-security-token"]).toBe("t");
  });

  it("credentials that could not be read are read again for the next batch", async () => {
    let reads = 0;
    const credentials = async () => {
      reads += 1;
      if (reads === 1) throw new Error("no credentials yet");
      return { accessKeyId: "a", secretAccessKey: "s" };
    };
    const { write } = await openDynamodb(succeed, { credentials });
    await expect(write()).rejects.toThrow("no credentials yet");
    expect(await write()).toEqual({ UnprocessedItems: {} });
  });
});

describe("answers", () => {
  it.each<[string, Handle, string, string]>([
    [
      "a throttle",
      answer(400, errorBody("ThrottlingException")),
      "throttled",
      "ThrottlingException",
    ],
    [
      "the limit of a table",
      answer(400, errorBody("ProvisionedThroughputExceededException")),
      "throttled",
      "ProvisionedThroughputExceededException",
    ],
    [
      "an invalid item",
      answer(400, errorBody("ValidationException")),
      "invalid",
      "ValidationException",
    ],
    [
      "no table",
      answer(400, errorBody("ResourceNotFoundException")),
      "missing",
      "ResourceNotFoundException",
    ],
    [
      "no permission",
      answer(400, errorBody("AccessDeniedException")),
      "refused",
      "AccessDeniedException",
    ],
    [
      "an expired token",
      answer(400, errorBody("ExpiredTokenException")),
      "refused",
      "ExpiredTokenException",
    ],
    [
      "an error of DynamoDB",
      answer(500, errorBody("InternalServerError")),
      "unavailable",
      "InternalServerError",
    ],
    ["an error page of a proxy", answer(502, "<html>"), "unavailable", "UnknownError"],
    ["503 without a body", answer(503, ""), "unavailable", "UnknownError"],
    ["a redirect", answer(301, "", { location: "http://127.0.0.1:1/" }), "refused", "UnknownError"],
    ["a login page of a proxy", answer(200, "<html>"), "unavailable", "SyntaxError"],
    ["half of a body", answer(200, '{"Unprocessed'), "unavailable", "SyntaxError"],
    [
      "a type in a header, with a URL behind it",
      answer(400, "", { "x-amzn-errortype": "ThrottlingException:http://amazon.com/" }),
      "throttled",
      "ThrottlingException",
    ],
  ])("%s means the same to both ways of sending", async (_, handle, kind, name) => {
    const { client, requests, write } = await openDynamodb(handle);
    expect(await failureOf(write())).toMatchObject({ kind, name });
    const sdkFailure = await failureOf(writerOf(withoutSendBatch(client))());
    expect(sdkFailure.kind).toBe(kind);
    expect(requests).toHaveLength(2);
  });

  it("an empty body is no success, although the SDK takes it for one", async () => {
    const { write } = await openDynamodb(answer(200, ""));
    expect((await failureOf(write())).kind).toBe("unavailable");
  });

  it("an answer in many pieces, in the middle of a character, is read whole", async () => {
    const text = '{"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"🌊"}}}}]}}';
    const { write } = await openDynamodb(async (_, response) => {
      for (const byte of Buffer.from(text)) {
        response.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      response.end();
    });
    expect(await write()).toEqual(JSON.parse(text));
  });

  it("binary values are base64 in both ways of sending", async () => {
    const Item = { id: { B: "AP8=" }, in: { M: { B: { S: "x" } } } };
    const left = { UnprocessedItems: { t: [{ PutRequest: { Item } }] } };
    const { client, requests } = await openDynamodb(answer(200, JSON.stringify(left)));
    const text = JSON.stringify({ RequestItems: left.UnprocessedItems });
    for (const way of [client, withoutSendBatch(client)]) {
      expect(await batchSenderOf(way)("BatchWriteItem", text)).toMatchObject(left);
    }
    expect(JSON.parse(requests[1]?.text ?? "")).toEqual(JSON.parse(text));
  });
});

describe("connections", () => {
  const isUnavailable = async (sending: Promise<unknown>) =>
    expect((await failureOf(sending)).kind).toBe("unavailable");

  it("a connection that is lost before the answer is worth another attempt", async () => {
    await isUnavailable((await openDynamodb((request) => request.socket.destroy())).write());
    await isUnavailable(
      (await openDynamodb((request) => request.socket.resetAndDestroy())).write(),
    );
  });

  it("a connection that is lost in the middle of an answer is worth another attempt", async () => {
    const { write } = await openDynamodb((request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write('{"Unproc', () => request.socket.destroy());
    });
    await isUnavailable(write());
  });

  it("a closed port is worth another attempt, under its own name", async () => {
    const { write, server } = await openDynamodb(succeed);
    server.close();
    expect(await failureOf(write())).toMatchObject({ kind: "unavailable", name: "ECONNREFUSED" });
  });

  it("an answer that is not HTTP is worth another attempt", async () => {
    const { write } = await openDynamodb((request) => request.socket.end("SSH-2.0 hello\r\n"));
    await isUnavailable(write());
  });

  it("a connection that DynamoDB has closed meanwhile is not used again", async () => {
    const { write, server } = await openDynamodb(succeed);
    await write();
    server.closeAllConnections();
    await vi.waitFor(async () => expect(await write()).toEqual({ UnprocessedItems: {} }));
  });

  it("a batch without an answer ends after 5 seconds and is worth another attempt", async () => {
    const { write } = await openDynamodb(() => {});
    await isUnavailable(write());
  }, 10_000);

  it("an abort ends a batch at once with the given reason, and closes its connection", async () => {
    const stop = new AbortController();
    let isClosed = false;
    const { write } = await openDynamodb(({ socket }) => {
      socket.on("end", () => {
        isClosed = true;
      });
      stop.abort(new Error("called off"));
    });
    await expect(write(stop.signal)).rejects.toThrow("called off");
    await vi.waitFor(() => expect(isClosed).toBe(true));
    await expect(write(stop.signal)).rejects.toThrow("called off");
  });

  it("an abort ends the wait for a connection", async () => {
    const stop = new AbortController();
    // Nothing answers at this address, which is reserved for documentation.
    const client = clientOf("http://192.0.2.1:8000");
    closers.push(() => client.destroy());
    const sending = writerOf(client)(stop.signal);
    setImmediate(() => stop.abort(new Error("called off")));
    await expect(sending).rejects.toThrow("called off");
  });

  it("a signal that serves many batches keeps no listener of them", async () => {
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, "removeEventListener");
    const add = vi.spyOn(signal, "addEventListener");
    const { write } = await openDynamodb(succeed);
    for (let n = 0; n < 3; n++) await write(signal);
    expect(add).toHaveBeenCalledTimes(3);
    expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(
      add.mock.calls.map(([, listener]) => listener),
    );
  });
});

it("the SDK's client has all that batches as text rely on", async () => {
  const { config } = new DynamoDBClient({
    region: "eu-west-1",
    credentials: { accessKeyId: "a", secretAccessKey: "s" },
  });
  expect(await config.region()).toBe("eu-west-1");
  expect(config.systemClockOffset).toBe(0);
  const signer = await config.signer({
    name: "sigv4",
    signingName: "dynamodb",
    signingRegion: "eu-west-1",
    properties: {},
  });
  const request = { method: "POST", protocol: "https:", hostname: "h", path: "/", query: {} };
  const { headers } = await signer.sign(
    { ...request, headers: { host: "h" }, body: Buffer.from("{}") },
    { signingDate: new Date("2026-12-01T00:00:00Z") },
  );
  expect(headers).toMatchObject({
    "x-amz-date": "20261201T000000Z",
    authorization: expect.stringMatching(/20261201\/eu-west-1\/dynamodb\/aws4_request/),
  });
});
