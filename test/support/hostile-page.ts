import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { Agent } from "undici";
import { realClock } from "../../packages/core/src/base/clock.ts";
import { isFailure } from "../../packages/core/src/base/errors.ts";
import type { World } from "../../packages/core/src/base/world.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { dlt, rest_api_source } from "../../packages/core/src/config/source.ts";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { fetchPages, openSession } from "../../packages/core/src/extract/pages.ts";

/*
 * Reads one page of an API that sends a huge answer, in a process of its own, and prints how it ended:
 * `node --import tsx hostile-page.ts KIND`. The key is in the answer wherever that is possible.
 */

const KEY = "canary-key-of-a-huge-answer/+";
const MB = 2 ** 20;

interface HugeAnswer {
  status: number;
  body: () => string | Buffer;
  headers?: Record<string, string>;
}

const ok = (body: HugeAnswer["body"], headers = {}): HugeAnswer => ({ status: 200, body, headers });
const refused = (unit: string): HugeAnswer => ({
  status: 422,
  body: () => Buffer.alloc(60 * MB, unit),
});

export const hugeAnswers: Record<string, HugeAnswer> = {
  "an error of 60 MB with the key in it": refused(`${KEY} `),
  "an error of 60 MB that decodes without an end": refused("%25"),
  "an error of 60 MB of HTML entities": refused("&amp;#x25;"),
  "an error of 60 MB of backslashes": refused("\\"),
  "an error of 60 MB of base64": refused("VVVV"),
  "60 MB that are no JSON": ok(() => Buffer.alloc(60 * MB, "x")),
  "60 MB of HTML": ok(() => `<html>${"<p>&amp;</p>".repeat(5_000_000)}`),
  "errors of two million numbers in 4 KB": ok(
    () => gzipSync(`{"errors":[${"0,".repeat(2_000_000)}0]}`),
    { "content-encoding": "gzip" },
  ),
  "errors of a million objects": ok(() => `{"errors":[${"{},".repeat(1_000_000)}{}]}`),
  "errors in one string of 60 MB": ok(() => `{"errors":["${"ab\\n".repeat(15_000_000)}"]}`),
  "errors of a million levels": ok(
    () => `{"errors":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`,
  ),
  "three million lists": ok(() => `[${"[],".repeat(3_000_000)}0]`),
};

async function readPage({ status, body, headers = {} }: HugeAnswer): Promise<string> {
  const answer = body();
  const server = createServer((_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const config = {
    client: {
      base_url: `http://127.0.0.1:${port}`,
      auth: { type: "bearer" as const, token: dlt.secrets["key"] },
    },
    resources: ["rows"],
  };
  const [resource] = planSource(rest_api_source(config), "huge").resources;
  if (!resource) return "no resource";
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const { signal } = new AbortController();
  const world = {
    ...{
      clock: realClock,
      random: Math.random,
      log,
      signal,
      http: new Agent(),
      origins: new Map(),
    },
    deadline: Number.POSITIVE_INFINITY,
  } as unknown as World;
  const values = { get: () => KEY };
  const secrets = { read: async () => values, refresh: async () => values } as never;
  const meter = { requests: 0, retries: 0, waited_ms: 0 };
  const session = openSession(resource, { world, secrets, meter });
  const filled = fillRequest(resource.request, () => undefined);
  try {
    for await (const page of fetchPages(resource, filled, undefined, session)) {
      return `read ${page.records.length} records`;
    }
    return "read nothing";
  } catch (error) {
    if (!isFailure(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const [, , kind = ""] = process.argv;
const answer = hugeAnswers[kind];
if (answer) {
  const result = await readPage(answer);
  const { maxRSS } = process.resourceUsage();
  process.stdout.write(JSON.stringify({ result, megabytes: Math.round(maxRSS / 1024) }));
  process.exit(0);
}
