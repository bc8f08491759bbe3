import { describe, expect, it } from "vitest";
import { blog, posts } from "./blog.ts";
import { data, numbers, shop, source, texts } from "./support.ts";

describe("an empty page", () => {
  it.each([
    ["null under the selector's key", { data: null }],
    ["an empty list", { data: [] }],
  ])("is what an API means by %s", async (_, body) => {
    const { run, hooks, column } = await shop(source(["rows"]), () => data([{ id: 1 }]));
    hooks.before = () => ({ body });
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 0 });
    hooks.before = undefined;
    await run();
    expect(await column("rows")).toEqual(["1"]);
  });

  it("is one deep down, too, and behind other pages", async () => {
    const endpoint = {
      data_selector: "result.items",
      paginator: { type: "page_number", base_page: 1 },
    };
    const { run } = await shop(source([{ name: "rows", endpoint }]), ({ query }) => ({
      body: { result: { items: query.get("page") === "1" ? [{ id: 1 }] : null } },
    }));
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 1 });
  });

  it.each([
    ["on top", { items: null, total: 0 }],
    ["by a body of nothing else", { data: null }],
  ])("is null where no selector is written down, too: %s", async (_, body) => {
    const bare = { endpoint: { data_selector: null } };
    const keyless = { name: "keyless", primary_key: null, write_disposition: "replace", ...bare };
    const { run, hooks, items } = await shop(source([{ name: "rows", ...bare }, keyless]), () => ({
      body: { [Object.keys(body)[0] as string]: [{ id: 1 }, { id: 2 }] },
    }));
    await run();
    hooks.before = () => ({ body });
    const { of } = await run();
    expect(of("rows")).toMatchObject({ status: "succeeded", records: 0 });
    expect(of("keyless").error.code).toBe("load.sweep_refused");
    expect(await items("keyless")).toHaveLength(2);
  });

  it("of a child's parent leaves the others alone", async () => {
    const api = blog();
    const { run } = await shop(source(["users", posts()]), (request) =>
      request.path === "/users/2/posts" ? { body: { data: null } } : api.behave(request),
    );
    expect((await run()).of("posts")).toMatchObject({ status: "succeeded", records: 4 });
  });

  it("is none where the key is not there, and the run fails", async () => {
    const { run } = await shop(source(["rows"]), () => ({ body: { rows: [] } }));
    expect((await run()).of("rows").status).toBe("failed");
    const deep = { endpoint: { data_selector: "result.items" } };
    const place = await shop(source([{ name: "rows", ...deep }]), () => ({ body: { result: {} } }));
    expect((await place.run()).of("rows").status).toBe("failed");
  });

  it.each([
    ["a replace", { write_disposition: "replace" }, []],
    ["a full refresh", {}, ["--full-refresh"]],
  ])("alone deletes nothing in %s", async (_, more, args) => {
    const { run, hooks, column } = await shop(source([{ name: "rows", ...more }]), () =>
      data([{ id: 1 }]),
    );
    await run();
    hooks.before = () => ({ body: { data: null } });
    expect((await run(...args)).of("rows")).toMatchObject({ status: "failed", deleted: 0 });
    expect(await column("rows")).toEqual(["1"]);
  });
});

describe("braces that stand twice", () => {
  it.each([
    ["params", { params: { filter: "{{x}}" } }],
    ["a path", { path: "rows/{{x}}" }],
    ["json", { method: "POST", json: { filter: "a {{x}} b", deep: ["{{y}}"] } }],
    ["a header", { headers: { "x-filter": "{{x}}" } }],
    ["a form", { method: "POST", data: { filter: "{{x}}" } }],
  ])("are sent as one, in %s", async (_, endpoint) => {
    const { run, requests } = await shop(source([{ name: "rows", endpoint }]), () =>
      data([{ id: 1 }]),
    );
    expect((await run()).exit).toBe(0);
    const sent = requests.map(({ query, path, body, headers }) =>
      decodeURIComponent(`${query} ${path} ${body} ${headers["x-filter"]}`),
    );
    expect(sent.join(" ")).toMatch(/\{x\}/);
    expect(sent.join(" ")).not.toMatch(/\{\{|\}\}/);
  });
});

describe("a placeholder that nothing fills", () => {
  it.each([
    ["a param", { params: { user: "{foo.bar.id}" } }],
    ["a part of a param", { params: { user: "u-{foo.bar.id}" } }],
    ["json", { method: "POST", json: { user: "{foo.bar.id}" } }],
    ["a header", { headers: { "x-user": "{foo.bar.id}" } }],
    ["a path", { path: "rows/{foo.bar.id}" }],
    ["a param, of no resource", { params: { user: "{resources.people.id}" } }],
  ])("is refused in %s, before any request", async (_, endpoint) => {
    const { run, requests } = await shop(source([{ name: "rows", endpoint }]), () => data([]));
    const { exit, document } = await run();
    expect(exit).toBe(2);
    expect(document.status).toBe("invalid");
    expect(JSON.stringify(document.problems)).toMatch(/foo\.bar\.id|people/);
    expect(requests).toHaveLength(0);
  });
});

describe("include_from_parent", () => {
  it("finds a field within another", async () => {
    const api = blog();
    for (const user of api.users) user.meta = { code: `c${user.id}` };
    const child = posts({ include_from_parent: ["meta.code"] });
    const { run, items } = await shop(source(["users", child]), api.behave);
    expect((await run()).of("posts").status).toBe("succeeded");
    for (const { user, ...rest } of await items("posts")) {
      const [, taken] = Object.entries(rest).find(([name]) => name.startsWith("_users_")) ?? [];
      expect(taken).toBe(`c${user}`);
    }
  });

  it("prefers a field whose own name has the dot", async () => {
    const api = blog();
    for (const user of api.users) user["meta.code"] = `c${user.id}`;
    const child = posts({ include_from_parent: ["meta.code"] });
    const { run, items } = await shop(source(["users", child]), api.behave);
    expect((await run()).of("posts").status).toBe("succeeded");
    expect((await items("posts")).map((post) => post["_users_meta.code"])).toContain("c1");
  });
});

describe("rows whose members come in another order each time", () => {
  it.each([
    ["by fingerprints", { writes: "fingerprints" }],
    ["by comparison", { writes: "compare" }],
    ["in a replace", { write_disposition: "replace" }],
    ["in a replace by fingerprints", { write_disposition: "replace", writes: "fingerprints" }],
    ["by the engine's own choice", {}],
  ])("are known to be unchanged, %s", async (_, more) => {
    let turn = 0;
    const { run, items } = await shop(source([{ name: "rows", ...more }]), () => {
      turn += 1;
      const members = (id: number) => [
        ["id", id],
        ["a", { x: 1, y: [{ p: 1, q: 2 }] }],
        ["b", "text"],
      ];
      const turned = (id: number) => Object.fromEntries(rotated(members(id), turn));
      return data(numbers(1, 50).map(turned));
    });
    for (let n = 0; n < 3; n++) await run();
    expect((await run()).of("rows")).toMatchObject({
      status: "succeeded",
      written: 0,
      unchanged: 50,
    });
    expect(texts((await items("rows")).map(({ id }) => id))).toEqual(texts(numbers(1, 50)));
  });
});

function rotated<T>(list: T[], by: number): T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
