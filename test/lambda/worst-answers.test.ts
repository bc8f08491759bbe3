import type { ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { type ResourceReport, workerFunctionName } from "@tidetable/core";
import { expect, onTestFinished, test } from "vitest";
import { invokeFunction } from "../../packages/cli/src/runner/invoke-function.ts";
import { type Handler, openApi, type Reply } from "../support/api.ts";
import { buildBundles, nodeVersion, openStage } from "./support.ts";

/*
 * The worker as it is deployed, with the memory that it has by default. An API sends it the worst that
 * fits through its limits, and more than fits. The service kills a process above its memory, as AWS
 * does: each answer has to be survived, or to fail the run by name, within one invocation.
 */

const MB = 1_000_000;
const bundles = buildBundles();

/** A body of a megabyte or many, made of repetitions of a text between a start and an end. */
const bigBody = (bytes: number, text: string, start = "", end = ""): Buffer =>
  Buffer.concat([Buffer.from(start), Buffer.alloc(bytes, text), Buffer.from(end)]);

const page = (records: string): Buffer => Buffer.from(`{"data":[${records}]}`);
const repeat = (count: number, make: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => make(n)).join();

const json = (body: Buffer | string, headers: Record<string, string> = {}): Reply => ({
  headers: { "content-type": "application/json", ...headers },
  body,
});

/** Sends without an end, and as fast as the worker reads. */
function sendForEver(response: ServerResponse, chunk: Buffer): undefined {
  response.writeHead(200, { "content-type": "application/json" });
  const endless = Readable.from(
    (function* () {
      for (;;) yield chunk;
    })(),
  );
  // The worker ends the connection, which is no error here.
  pipeline(endless, response, () => {});
}

interface WorstAnswer {
  /** What becomes of the run: the code of its error, or that it is done. */
  outcome: string;
  answer: () => Reply | Handler;
}

const ends = (outcome: string, answer: WorstAnswer["answer"]): WorstAnswer => ({ outcome, answer });

const errors: Record<string, WorstAnswer> = {
  "an error of 60 MB": ends("extract.status", () => ({
    status: 400,
    body: bigBody(60 * MB, "no "),
  })),
  "an error of 60 MB in JSON": ends("extract.status", () => ({
    status: 400,
    ...json(bigBody(60 * MB, '"no",', '{"errors":[', '""]}')),
  })),
  "an error of 4 KB in JSON that is made of numbers": ends("extract.status", () => ({
    status: 422,
    ...json(bigBody(4_000, "0,", '{"errors":[', "0]}")),
  })),
  "an error of 30 MB of escapes": ends("extract.status", () => ({
    status: 400,
    body: bigBody(30 * MB, "%25"),
  })),
  "a web page of 60 MB": ends("extract.body", () => ({
    body: bigBody(60 * MB, "<p>hello</p>\n", "<!doctype html>"),
  })),
};

const sizes: Record<string, WorstAnswer> = {
  "a body of 65 MiB": ends("extract.size", () => json(bigBody(65 * 2 ** 20, " ", '{"data":['))),
  "a body without an end": ends(
    "extract.size",
    () => (_, response) => sendForEver(response, Buffer.alloc(MB, "0")),
  ),
  "a body in chunks of one byte": ends("extract.loop", () => (_, response) => {
    response.writeHead(200);
    for (const byte of page(repeat(99, (n) => `{"id":${n},"a":"${"a".repeat(300)}"}`))) {
      response.write(Buffer.of(byte));
    }
    response.end();
    return undefined;
  }),
  "60 MB of white space": ends("done", () => json(bigBody(60 * MB, " ", '{"data":[', "]}"))),
  "a gzip bomb": ends("extract.size", () =>
    json(gzipSync(bigBody(100 * MB, " ")), { "content-encoding": "gzip" }),
  ),
  "a brotli bomb": ends("extract.size", () =>
    json(
      brotliCompressSync(bigBody(100 * MB, " "), {
        params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
      }),
      { "content-encoding": "br" },
    ),
  ),
  "headers of 40 KB": ends("extract.network", () => ({
    headers: Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`x-${n}`, "h".repeat(1_000)]),
    ),
    body: "{}",
  })),
};

const shapes: Record<string, WorstAnswer> = {
  "a string of 60 MB": ends("done, 1 set aside", () =>
    json(bigBody(60 * MB, "s", '{"data":[{"id":1,"a":"', '"}]}')),
  ),
  "a string of 60 MB with two bytes for each character": ends("done, 1 set aside", () =>
    json(bigBody(60 * MB, "漢", '{"data":[{"id":1,"a":"', '"}]}')),
  ),
  "a string of 60 MB of escapes": ends("done, 1 set aside", () =>
    json(bigBody(60 * MB, "\\u0041", '{"data":[{"id":1,"a":"', '"}]}')),
  ),
  "a number of 10 million digits": ends("done, 1 set aside", () =>
    json(bigBody(10 * MB, "7", '{"data":[{"id":1,"a":', "}]}")),
  ),
  "a key of 400 KB": ends("done, 1 set aside", () => json(page(`{"id":"${"k".repeat(400_000)}"}`))),
  "a member name of 20 MB": ends("done, 1 set aside", () =>
    json(bigBody(20 * MB, "n", '{"data":[{"id":1,"', '":1}]}')),
  ),
  "three million numbers": ends("extract.size", () =>
    json(bigBody(6 * MB, "0,", '{"data":[{"id":1,"a":[', "0]}]}")),
  ),
  "300,000 numbers in a record": ends("done, 1 set aside", () =>
    json(bigBody(600_000, "0,", '{"data":[{"id":1,"a":[', "0]}]}")),
  ),
  "lists in 100,000 levels": ends("done, 1 set aside", () =>
    json(page(`{"id":1,"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)),
  ),
  "objects in 100,000 levels": ends("done, 1 set aside", () =>
    json(page(`{"id":1,"a":${'{"a":'.repeat(100_000)}0${"}".repeat(100_000)}}`)),
  ),
  "100,000 levels and no records": ends("extract.selector", () =>
    json(`${'{"a":'.repeat(100_000)}0${"}".repeat(100_000)}`),
  ),
  "an object of 60,000 members": ends("done, 1 set aside", () =>
    json(page(`{"id":1,${repeat(60_000, (n) => `"field${n}":1`)}}`)),
  ),
  "a million members of one name": ends("done", () =>
    json(bigBody(6 * MB, '"a":1,', '{"data":[{"id":1,', '"a":2}]}')),
  ),
};

const lists: Record<string, WorstAnswer> = {
  "190,000 records on a page that repeats": ends("extract.loop", () => {
    const body = page(repeat(190_000, (n) => `{"id":${n % 50}}`));
    return () => json(body);
  }),
  "250,000 records on a page": ends("extract.size", () => json(page(repeat(250_000, () => "{}")))),
  "99 records with 1,000 field names each": ends("done", () =>
    json(page(repeat(99, (r) => `{"id":${r},${repeat(1_000, (n) => `"f${r}_${n}":1`)}}`))),
  ),
  "pages of 40 MB, one after the other": ends("done", () => {
    const text = "t".repeat(390_000);
    return ({ query }) => {
      const offset = Number(query.get("offset"));
      const count = Math.max(0, Math.min(100, 300 - offset));
      return json(page(repeat(count, (n) => `{"id":${(offset + n) % 4},"a":"${text}"}`)));
    };
  }),
};

// AWS has the workers on Node 24: another version would take as long, and say nothing of them.
test.skipIf(!nodeVersion().startsWith("v24.")).each([
  ["errors", errors],
  ["sizes", sizes],
  ["shapes", shapes],
  ["lists", lists],
])(
  "a worker of 512 MB survives the worst %s that an API can send, or fails the run by name",
  async (_, kinds) => {
    let current: Reply | Handler = {};
    const { url } = await openApi((request, response) => {
      if (typeof current === "function") return current(request, response);
      return request.query.get("offset") === "0" ? current : json(page(""));
    });
    const stage = await openStage({ bundles, origins: { ticketing: url } });
    const client = new LambdaClient({
      endpoint: stage.lambda.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    onTestFinished(() => client.destroy());
    const resource = { source: "ticketing", resource: "tickets" };
    const worker = workerFunctionName({ app: "tidetable", stage: "test" }, resource.source);
    const outcomes: Record<string, unknown> = {};
    for (const [name, { answer }] of Object.entries(kinds)) {
      await stage.forgetState();
      current = answer();
      // Of the memory that one answer has taken, the worker has what is left for the next one.
      const run_id = `run of ${name.slice(0, 40)}`.replaceAll(/[^a-z0-9]+/gi, "-");
      const invocation = await invokeFunction(client, worker, { ...resource, run_id });
      const report = stage.pipeline.lastReport?.(resource);
      // Without a report the process was killed, and Lambda says why.
      const isReported = report?.run_id === run_id;
      outcomes[name] = isReported ? outcomeOf(report) : invocation.answer;
    }
    const expected = Object.entries(kinds).map(([name, { outcome }]) => [name, outcome]);
    expect(outcomes).toEqual(Object.fromEntries(expected));
  },
);

const outcomeOf = ({ status, error, quarantined }: ResourceReport): string =>
  error ? error.code : `${status}${quarantined > 0 ? `, ${quarantined} set aside` : ""}`;
