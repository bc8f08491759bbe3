import type { ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { LambdaClient } from "@aws-sdk/client-lambda";
import type { ResourceReport } from "@tidetable/core/internal";
import { workerFunctionName } from "@tidetable/core/plan";
import { expect, onTestFinished, test } from "vitest";
import {
  bundleFiles,
  type FunctionBundles,
} from "../../packages/cli/src/runner/function-bundles.ts";
import { invokeFunction } from "../../packages/cli/src/runner/invoke-function.ts";
import type { Sources } from "../../packages/core/src/config/source.ts";
import { repository } from "../../scripts/bundle-packages.ts";
import { type ApiRequest, type Handler, openApi, type Reply } from "../support/api.ts";
import { buildBundles, nodeVersion, openStage } from "./support.ts";
import { worstSources } from "./worst-worker.ts";

/*
 * The worker as it is deployed, with the memory that it has by default. An API sends it the worst that
 * fits through its limits, and more than fits. The service kills a process above its memory, as AWS
 * does: each answer has to be survived, or to fail the run by name, within one invocation.
 */

const MB = 1_000_000;
const bundles = buildBundles();
const worstBundles = buildBundles((folder) =>
  bundleFiles(
    repository.folder,
    { schedule: "functions/schedule.ts", worker: "test/lambda/worst-worker.ts" },
    folder,
  ),
);

/** A body of a megabyte or many, made of repetitions of a text between a start and an end. */
const bigBody = (bytes: number, text: string, start = "", end = ""): Buffer =>
  Buffer.concat([Buffer.from(start), Buffer.alloc(bytes, text), Buffer.from(end)]);

const page = (records: string): Buffer => Buffer.from(`{"data":[${records}]}`);
const repeat = (count: number, make: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => make(n)).join();

/** Lists in lists, between a start and an end. */
const deepBody = (start: string, end: string): Buffer =>
  Buffer.concat([
    Buffer.from(start),
    Buffer.alloc(100_000, "["),
    Buffer.alloc(100_000, "]"),
    Buffer.from(end),
  ]);

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

/** What follows a page, in each of the places where an API says so. */
const nextPages: Record<string, WorstAnswer> = {
  "cursors with a page token of 60 MB": ends("extract.size", () =>
    json(bigBody(60 * MB, "t", '{"data":[{"id":1}],"next":"', '"}')),
  ),
  "cursors with a page token in 100,000 levels": ends("extract.cursor", () =>
    json(deepBody('{"data":[{"id":1}],"next":', "}")),
  ),
  "body_links with a link of 60 MB": ends("extract.size", () =>
    json(bigBody(60 * MB, "l", '{"data":[{"id":1}],"next":"/v1/body_links?', '"}')),
  ),
  "body_links with a link of a million segments": ends("extract.loop", () =>
    json(bigBody(2 * MB, "/.", '{"data":[{"id":1}],"next":"/v1/body_links', '"}')),
  ),
  "header_links with 4,000 links": ends("done", () => ({
    ...json(page('{"id":1}'), { link: "<l>; rel=x, ".repeat(1_300).slice(0, 15_000) }),
  })),
  "header_cursors with thousands of headers": ends("extract.network", () => (_, response) => {
    const headers = Array.from({ length: 5_000 }, (_, n) => [`x-next-${n}`, "1"]).flat();
    response.writeHead(200, headers);
    response.end(page('{"id":1}'));
    return undefined;
  }),
  "page_numbers with a total of 10 million digits": ends("extract.total", () =>
    json(bigBody(10 * MB, "9", '{"data":[{"id":1}],"pages":', "}")),
  ),
  "graphql with an error of 60 MB": ends("extract.selector", () =>
    json(bigBody(60 * MB, "no ", '{"errors":[{"message":"', '"}]}')),
  ),
  "graphql with 200,000 errors": ends("extract.selector", () =>
    json(`{"errors":[${repeat(200_000, (n) => `{"message":"no ${n}"}`)}]}`),
  ),
};

const redirect = (location: string, body: Buffer | string = ""): Reply => ({
  status: 302,
  headers: { location },
  body,
});

const redirects: Record<string, WorstAnswer> = {
  "cursors behind redirects without an end": ends("extract.redirect", () => () => {
    return redirect("/v1/cursors");
  }),
  "cursors behind an address of 15 KB": ends("extract.redirect", () =>
    redirect(`/v1/${"r".repeat(15_000)}`),
  ),
  "cursors behind an address of another host of 15 KB": ends("extract.redirect", () =>
    redirect(`https://${"h".repeat(15_000)}.example.org/`),
  ),
  "cursors behind a redirect of 60 MB": ends("extract.redirect", () => () => {
    return redirect("/v1/cursors", bigBody(60 * MB, "r"));
  }),
};

const tokens: Record<string, WorstAnswer> = {
  "a token of 60 MB": ends("extract.token", () =>
    json(bigBody(60 * MB, "t", '{"access_token":"', '"}')),
  ),
  "a refresh token of 60 MB": ends("extract.token", () =>
    json(bigBody(60 * MB, "t", '{"access_token":"token","refresh_token":"', '"}')),
  ),
  "a token behind 60 MB of blanks": ends("done", () =>
    json(bigBody(60 * MB, " ", "{", '"access_token":"token","expires_in":0}')),
  ),
  "a token in 100,000 levels": ends("extract.token", () => json(deepBody('{"access_token":', "}"))),
  "100,000 levels beside a token": ends("done", () =>
    json(deepBody('{"a":', ',"access_token":"token","expires_in":0}')),
  ),
  "a token endpoint's error of 60 MB": ends("extract.status", () => ({
    status: 404,
    body: bigBody(60 * MB, "no "),
  })),
  "a token endpoint's web page of 60 MB": ends("extract.body", () => ({
    body: bigBody(60 * MB, "<p>hello</p>\n", "<!doctype html>"),
  })),
  "a token endpoint's gzip bomb": ends("extract.size", () =>
    json(gzipSync(bigBody(100 * MB, " ")), { "content-encoding": "gzip" }),
  ),
  "a token that is valid for 10^308 seconds": ends("done", () =>
    json('{"access_token":"token","expires_in":1e308}'),
  ),
};

// AWS has the workers on Node 24: another version would take as long, and say nothing of them.
const isDeployedVersion = nodeVersion().startsWith("v24.");

test.skipIf(!isDeployedVersion).each([
  ["errors", errors],
  ["sizes", sizes],
  ["shapes", shapes],
  ["lists", lists],
])(
  "a worker of 512 MB survives the worst %s that an API can send, or fails the run by name",
  async (_, kinds) => {
    const outcomes = await outcomesOf(kinds, {
      bundles,
      source: "ticketing",
      resourceOf: () => "tickets",
      isAnswered: ({ query }) => query.get("offset") === "0",
    });
    expect(outcomes).toEqual(expectedOf(kinds));
  },
);

test.skipIf(!isDeployedVersion).each([
  ["next pages", "worst_pages", nextPages],
  ["redirects", "worst_pages", redirects],
  ["tokens", "worst_tokens", tokens],
])(
  "a worker of 512 MB with other ways to page and to sign in survives the worst %s",
  async (_, source, kinds) => {
    const isPages = source === "worst_pages";
    const outcomes = await outcomesOf(kinds, {
      bundles: worstBundles,
      sources: worstSources,
      source,
      // The name of a kind begins with its resource.
      resourceOf: (kind) => (isPages ? (kind.split(" ")[0] ?? "") : "items"),
      isAnswered: ({ path }) => isPages || path === "/oauth/token",
    });
    expect(outcomes).toEqual(expectedOf(kinds));
  },
);

interface Situation {
  bundles: FunctionBundles;
  sources?: Sources;
  source: string;
  resourceOf: (kind: string) => string;
  /** The requests that get the worst answer. The others get a page without records. */
  isAnswered: (request: ApiRequest) => boolean;
}

/** Answers one run after the other by each kind, and says what has become of them. */
async function outcomesOf(
  kinds: Record<string, WorstAnswer>,
  { source, resourceOf, isAnswered, ...functions }: Situation,
): Promise<Record<string, unknown>> {
  let current: Reply | Handler = {};
  const { url } = await openApi((request, response) => {
    if (typeof current === "function") return current(request, response);
    return isAnswered(request) ? current : json(page(""));
  });
  const secrets = { api_key: "canary/key+of=workers", client_id: "id", client_secret: "canary-id" };
  const stage = await openStage({
    ...functions,
    origins: { [source]: url },
    secrets: { [source]: { ...secrets, refresh_token: "canary-of-a-refresh" } },
  });
  const client = new LambdaClient({
    endpoint: stage.lambda.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  onTestFinished(() => client.destroy());
  const worker = workerFunctionName({ app: "tidetable", stage: "test" }, source);
  const outcomes: Record<string, unknown> = {};
  for (const [name, { answer }] of Object.entries(kinds)) {
    await stage.forgetState();
    current = answer();
    // Of the memory that one answer has taken, the worker has what is left for the next one.
    const run_id = `run of ${name.slice(0, 40)}`.replaceAll(/[^a-z0-9]+/gi, "-");
    const resource = { source, resource: resourceOf(name) };
    const invocation = await invokeFunction(client, worker, { ...resource, run_id });
    const report = stage.pipeline.lastReport?.(resource);
    // Without a report the process was killed, and Lambda says why.
    const isReported = report?.run_id === run_id;
    outcomes[name] = isReported ? outcomeOf(report) : invocation.answer;
  }
  return outcomes;
}

const expectedOf = (kinds: Record<string, WorstAnswer>) =>
  Object.fromEntries(Object.entries(kinds).map(([name, { outcome }]) => [name, outcome]));

const outcomeOf = ({ status, error, quarantined }: ResourceReport): string =>
  error ? error.code : `${status}${quarantined > 0 ? `, ${quarantined} set aside` : ""}`;
