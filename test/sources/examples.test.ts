import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { sources } from "@tidetable/sources";
import { expect, it, onTestFinished } from "vitest";
import { openSampleApi, type SampleApi } from "../../packages/local/src/sample/server.ts";
import { exampleSystems } from "../../packages/local/src/sample/systems.ts";
import { cliFolder } from "../support/cli.ts";

/*
 * The examples as a user runs them: a file's path, a secret in a file, the embedded engine.
 */

const folder = resolve(import.meta.dirname, "../../packages/sources/examples");

async function open(source: string) {
  const api = await openSampleApi({ behind: exampleSystems });
  onTestFinished(() => api.close());
  const { cli } = await cliFolder({ "secret.json": api.secrets[source] });
  const file = join(folder, `${source}.ts`);
  const env = { [`TIDETABLE_ORIGIN_${source.toUpperCase()}`]: String(api.origins[source]) };
  const common = ["--secrets", "secret.json", "--json"];

  const run = async () => {
    const ended = await cli(["run", file, ...common], env);
    expect([ended.stderr, ended.code]).toEqual([expect.not.stringContaining("warning"), 0]);
    const { resources } = ended.json();
    const counts: [string, Counts][] = resources.map((one: { resource: string }) => [
      one.resource,
      one,
    ]);
    return Object.fromEntries(counts);
  };
  const items = async (resource: string): Promise<Row[]> => {
    const { stdout } = await cli(["items", `${file}/${resource}`, ...common], env);
    return rows(`[${stdout.trim().split("\n").join(",")}]`);
  };
  return { api, run, items, shown: shownBy(api, source) };
}

type Row = Record<string, unknown>;
interface Counts {
  records: number;
  written: number;
  deleted: number;
  requests: number;
  retries: number;
  cursor: { before: string | null; after: string } | null;
}

/** Ids beyond 2^53 as texts, so that two of them stay two. */
const rows = (text: string) => JSON.parse(text.replace(/:(\d{16,})/g, ':"$1"'));

/** What an API shows of itself, read in the plainest way. */
function shownBy({ origins, secrets }: SampleApi, source: string) {
  const { token, username, password } = secrets[source] ?? {};
  const authorization = token
    ? `Bearer ${token}`
    : `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  return async (path: string, body?: object) => {
    const init = body ? { method: "POST", body: JSON.stringify(body) } : {};
    const url = `${origins[source]}${path}`;
    const ask = () => fetch(url, { ...init, headers: { authorization } });
    const first = await ask();
    return rows(await (first.ok ? first : await ask()).text());
  };
}

const by = (field: string) => (a: Row, b: Row) => (String(a[field]) < String(b[field]) ? -1 : 1);
const sorted = (all: Row[], field: string) => all.toSorted(by(field));
const bySku = { query: { term: { status: "active" } }, size: 100 };

it("forum: topics and their posts, page by page, twice", async () => {
  const { api, run, items, shown } = await open("forum");
  const same = async () => {
    const { topics } = await shown("/api/topics?limit=100");
    const posts: Row[] = [];
    for (const { id, slug, title } of topics) {
      const body = await shown(`/api/topics/${id}/posts`);
      const from = { _topics_slug: slug, _topics_title: title };
      posts.push(...body.posts.map((post: Row) => ({ ...post, ...from })));
    }
    expect(await items("topics")).toEqual(sorted(topics, "id"));
    expect(sorted(await items("posts"), "id")).toEqual(sorted(posts, "id"));
    return posts.length;
  };

  const first = await run();
  expect(first).toMatchObject({ topics: { records: 24, retries: 1 }, posts: { records: 90 } });
  expect(await same()).toBe(90);

  const { added } = api.change();
  const second = await run();
  const held = await same();
  expect(second.topics?.records).toBe(api.counts()["forum.topics"]);
  expect(second.posts?.records).toBe(held);
  expect(api.counts()["forum.topics"]).toBeLessThan(24 + added);
});

it("code_host: everything, then only what has changed", async () => {
  const { api, run, items, shown } = await open("code_host");
  const issues = async (since = "") => {
    const all: Row[] = [];
    for (let page = 1; ; page += 1) {
      const query = new URLSearchParams({ since, page: `${page}` });
      const more: Row[] = await shown(`/repos/acme/rocket/issues?${query}`);
      all.push(...more);
      if (more.length < 100) return all.filter((one) => !("pull_request" in one));
    }
  };

  const first = await run();
  const before = await issues();
  expect(first.issues).toMatchObject({ records: before.length, written: before.length });
  expect(first.issues?.cursor).toEqual({ before: null, after: before.at(-1)?.updated_at });
  expect(sorted(await items("issues"), "id")).toEqual(sorted(before, "id"));
  expect(before.length).toBeGreaterThan(100);
  expect(before.length).toBeLessThan(170);

  api.change();
  const second = await run();
  const changed = await issues(String(first.issues?.cursor?.after));
  expect(changed.length).toBeGreaterThan(3);
  expect(changed.length).toBeLessThan(20);
  expect(second.issues).toMatchObject({ records: changed.length, requests: 1 });
  expect(second.issues?.cursor?.before).toBe(first.issues?.cursor?.after);
  expect(sorted(await items("issues"), "id")).toEqual(sorted(await issues(), "id"));
});

it("catalogue: what a search shows, and rows that it shows no more go", async () => {
  const { api, run, items, shown } = await open("catalogue");
  const products = async () => {
    const all: Row[] = [];
    while (true) {
      const { hits } = await shown("/products/_search", { ...bySku, from: all.length });
      all.push(...hits.hits.map(({ _source }: { _source: Row }) => _source));
      if (all.length === hits.total.value) return all;
    }
  };

  const before = await products();
  expect((await run()).products).toMatchObject({ records: before.length, deleted: 0 });
  expect(sorted(await items("products"), "sku")).toEqual(sorted(before, "sku"));

  api.change();
  const after = await products();
  const gone = before.filter(({ sku }) => !after.some((one) => one.sku === sku));
  expect(gone.length).toBeGreaterThan(0);
  expect((await run()).products).toMatchObject({ records: after.length, deleted: gone.length });
  expect(sorted(await items("products"), "sku")).toEqual(sorted(after, "sku"));
});

it("each example has a system behind it, and none is registered", () => {
  const names = readdirSync(folder).map((file) => basename(file, ".ts"));
  expect(names.sort()).toEqual(exampleSystems.map(({ source }) => source).sort());
  expect(names.filter((name) => Object.hasOwn(sources, name))).toEqual([]);
});
