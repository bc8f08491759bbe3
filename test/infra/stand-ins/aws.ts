import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * SST's parameter in an account where it has been used before: the buckets for state and assets.
 */
const bootstrap = { version: 1000, asset: "sst-asset", state: "sst-state" };

/**
 * Starts the parts of AWS that SST itself uses: parameters of Systems Manager and objects of S3.
 * The server is also the proxy for every other host, and refuses such requests.
 */
export async function startAws() {
  const parameters = new Map([["/sst/bootstrap", JSON.stringify(bootstrap)]]);
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  const refused: string[] = [];

  const refuseRequest = (request: string, response: ServerResponse) => {
    refused.push(request);
    response.writeHead(501).end();
  };

  const server = createServer(async (request, response) => {
    const { method = "", url = "" } = request;
    const target = request.headers["x-amz-target"];
    const body = await readBody(request);
    requests.push(`${method} ${target ?? url}`);
    if (typeof target === "string")
      return answerParameters(target, JSON.parse(String(body)), response);
    answerObjects(method, new URL(url, "http://s3"), body, response);
  });
  server.on("connect", ({ url }, socket) => {
    refused.push(`CONNECT ${url}`);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });

  function answerParameters(
    target: string,
    { Name, Value }: Record<string, string>,
    response: ServerResponse,
  ) {
    const json = (status: number, answer: object) =>
      response
        .writeHead(status, { "content-type": "application/x-amz-json-1.1" })
        .end(JSON.stringify(answer));
    if (target === "AmazonSSM.GetParameter" && Name) {
      const value = parameters.get(Name);
      if (value === undefined) return json(400, { __type: "ParameterNotFound" });
      return json(200, { Parameter: { Name, Value: value } });
    }
    if (target === "AmazonSSM.PutParameter" && Name && Value) {
      parameters.set(Name, Value);
      return json(200, { Version: 1 });
    }
    refuseRequest(target, response);
  }

  function answerObjects(method: string, url: URL, body: Buffer, response: ServerResponse) {
    const path = decodeURIComponent(url.pathname);
    const xml = (status: number, answer: string) =>
      response.writeHead(status, { "content-type": "application/xml" }).end(answer);
    const object = objects.get(path);
    if (method === "PUT") {
      objects.set(path, body);
      return response.end();
    }
    if (method === "DELETE") {
      objects.delete(path);
      return response.writeHead(204).end();
    }
    if (method === "POST" && url.searchParams.has("delete")) {
      for (const [, key] of String(body).matchAll(/<Key>(.+?)<\/Key>/g)) {
        objects.delete(`${path}/${key}`);
      }
      return xml(200, "<DeleteResult/>");
    }
    if (method === "GET" && url.searchParams.has("list-type")) {
      const prefix = `${path}/${url.searchParams.get("prefix")}`;
      const matches = [...objects.keys()].filter((key) => key.startsWith(prefix));
      const keys = matches.map(
        (key) => `<Contents><Key>${key.slice(path.length + 1)}</Key></Contents>`,
      );
      return xml(200, `<ListBucketResult>${keys.join("")}</ListBucketResult>`);
    }
    if (method !== "GET" || !path.startsWith("/sst-state/"))
      return refuseRequest(`${method} ${url}`, response);
    if (object) return response.end(object);
    xml(404, "<Error><Code>NoSuchKey</Code><Message>There is no such key.</Message></Error>");
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    parameters,
    /** Requests to other services and other hosts, which a deploy should not make. */
    refused,
    requests,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
