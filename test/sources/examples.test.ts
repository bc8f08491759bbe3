import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { sources } from "@tidetable/sources";
import { expect, it, onTestFinished } from "vitest";
import { openSampleApi, type SampleApi } from "../../packages/cli/src/sample/server.ts";
import { exampleSystems } from "../../packages/cli/src/sample/systems.ts";
import { openCliFolder } from "../support/cli.ts";

/*
 * Runs the examples as a user would: by the path of a file, with secrets in a file and the embedded
 * engine.
 */

const folder = resolve(import.meta.dirname, "../../packages/sources/examples");

async function openExample(source: string) {
  const api = await openSampleApi({ systems: exampleSystems });
  onTestFinished(() => api.close());
  const { cli } = await openCliFolder({ "secret.json": api.secrets[source] });
  const file = join(folder, `${source}.ts`);
  const env = { [`TIDETABLE_ORIGIN_${source.toUpperCase()}`]: String(api.origins[source]) };
  const common = ["--secrets", "secret.json", "--json"];

  const runExample = async () => {
    const ended = await cli(["run", file, ...common], env);
    expect([ended.stderr, ended.code]).toEqual([expect.not.stringContaining("warning"), 0]);
    const reports: (Counts & { resource: string })[] = ended.json().resources;
    return Object.fromEntries(reports.map((report) => [report.resource, report] as const));
  };
  const readItems = async (resource: string): Promise<Row[]> => {
    const { stdout } = await cli(["items", `${file}/${resource}`, ...common], env);
    return parseExactly(`[${stdout.trim().split("\n").join(",")}]`);
  };
  return { api, runExample, readItems, askApi: apiClient(api, source) };
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

/** Parses ids above 2^53 as strings, because two of them could become the same number. */
const parseExactly = (text: string) => JSON.parse(text.replace(/:(\d{16,})/g, ':"$1"'));

/** Asks the sample API directly, for what a table should have. */
function apiClient({ origins, secrets }: SampleApi, source: string) {
  const { token, username, password } = secrets[source] ?? {};
  const authorization = token
    ? `Bearer ${token}`
    : `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  return async (path: string, body?: object) => {
    const init = body ? { method: "POST", body: JSON.stringify(body) } : {};
    const url = `${origins[source]}${path}`;
    const request = () => fetch(url, { ...init, headers: { authorization } });
    const firstAnswer = await request();
    return parseExactly(await (firstAnswer.ok ? firstAnswer : await request()).text());
  };
}

const sortBy = (rows: Row[], field: string) =>
  rows.toSorted((a, b) => (String(a[field]) < String(b[field]) ? -1 : 1));
const activeProducts = { query: { term: { status: "active" } }, size: 100 };

it("the example forum mirrors topics and their posts, before and after a change", async () => {
  const { api, runExample, readItems, askApi } = await openExample("forum");
  const expectSameRows = async () => {
    const { topics } = await askApi("/api/topics?limit=100");
    const posts: Row[] = [];
    for (const { id, slug, title } of topics) {
      const body = await askApi(`/api/topics/${id}/posts`);
      const parentFields = { _topics_slug: slug, _topics_title: title };
      posts.push(...body.posts.map((post: Row) => ({ ...post, ...parentFields })));
    }
    expect(await readItems("topics")).toEqual(sortBy(topics, "id"));
    expect(sortBy(await readItems("posts"), "id")).toEqual(sortBy(posts, "id"));
    return posts.length;
  };

  const first = await runExample();
  expect(first).toMatchObject({ topics: { records: 24, retries: 1 }, posts: { records: 90 } });
  expect(await expectSameRows()).toBe(90);

  const { added } = api.change();
  const second = await runExample();
  const postCount = await expectSameRows();
  expect(second.topics?.records).toBe(api.counts()["forum.topics"]);
  expect(second.posts?.records).toBe(postCount);
  expect(api.counts()["forum.topics"]).toBeLessThan(24 + added);
});

it("the example code_host reads all issues first, then only the changed ones", async () => {
  const { api, runExample, readItems, askApi } = await openExample("code_host");
  const listIssues = async (since = "") => {
    const issues: Row[] = [];
    for (let page = 1; ; page += 1) {
      const query = new URLSearchParams({ since, page: `${page}` });
      const nextIssues: Row[] = await askApi(`/repos/acme/rocket/issues?${query}`);
      issues.push(...nextIssues);
      if (nextIssues.length < 100) return issues.filter((issue) => !("pull_request" in issue));
    }
  };

  const first = await runExample();
  const before = await listIssues();
  expect(first.issues).toMatchObject({ records: before.length, written: before.length });
  expect(first.issues?.cursor).toEqual({ before: null, after: before.at(-1)?.updated_at });
  expect(sortBy(await readItems("issues"), "id")).toEqual(sortBy(before, "id"));
  expect(before.length).toBeGreaterThan(100);
  expect(before.length).toBeLessThan(170);

  api.change();
  const second = await runExample();
  const changed = await listIssues(String(first.issues?.cursor?.after));
  expect(changed.length).toBeGreaterThan(3);
  expect(changed.length).toBeLessThan(20);
  expect(second.issues).toMatchObject({ records: changed.length, requests: 1 });
  expect(second.issues?.cursor?.before).toBe(first.issues?.cursor?.after);
  expect(sortBy(await readItems("issues"), "id")).toEqual(sortBy(await listIssues(), "id"));
});

it("the example catalogue mirrors a search, and deletes rows that the search no longer shows", async () => {
  const { api, runExample, readItems, askApi } = await openExample("catalogue");
  const listProducts = async () => {
    const products: Row[] = [];
    while (true) {
      const { hits } = await askApi("/products/_search", {
        ...activeProducts,
        from: products.length,
      });
      products.push(...hits.hits.map(({ _source }: { _source: Row }) => _source));
      if (products.length === hits.total.value) return products;
    }
  };

  const before = await listProducts();
  expect((await runExample()).products).toMatchObject({ records: before.length, deleted: 0 });
  expect(sortBy(await readItems("products"), "sku")).toEqual(sortBy(before, "sku"));

  api.change();
  const after = await listProducts();
  const removed = before.filter(({ sku }) => !after.some((product) => product.sku === sku));
  expect(removed.length).toBeGreaterThan(0);
  expect((await runExample()).products).toMatchObject({
    records: after.length,
    deleted: removed.length,
  });
  expect(sortBy(await readItems("products"), "sku")).toEqual(sortBy(after, "sku"));
});

it("each example has a sample API, and no example is registered", () => {
  const names = readdirSync(folder).map((file) => basename(file, ".ts"));
  expect(names.sort()).toEqual(exampleSystems.map(({ source }) => source).sort());
  expect(names.filter((name) => Object.hasOwn(sources, name))).toEqual([]);
});
