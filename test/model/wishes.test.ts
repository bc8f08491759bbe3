import { describe, expect, it } from "vitest";
import { blog, idsOf, posts, users } from "./blog.ts";
import { data, numbers, type Shop, shop, source, texts } from "./support.ts";

// A request is durable until one read has taken it, and `done` means that it took place.

const minute = (n: number) => ({ time: `2026-01-01T00:0${n}:00Z` });

/** Ten rows, that a run has stored; one has gone from the API since then. */
async function shrunk() {
  const rows = numbers(1, 10).map((id) => ({ id }));
  const client = { error_handler: { max_retries: 3, backoff_factor: 0.001 } };
  const place = await shop(source(["rows"], { client }), () => data(rows));
  await place.run();
  rows.splice(3, 1);
  const isSwept = async () =>
    expect(await place.column("rows")).toEqual(texts(rows.map(({ id }) => id)));
  const isWhole = async () => expect(await place.column("rows")).toHaveLength(10);
  return { rows, isSwept, isWhole, ...place };
}

/** Holds the next request at the API. What it answers is settled when the request comes in. */
function holdNext({ hooks }: Pick<Shop, "hooks">, answer?: () => ReturnType<typeof data>) {
  let release = () => {};
  const released = new Promise<void>((done) => {
    release = done;
  });
  const met = new Promise<void>((done) => {
    hooks.before = async () => {
      hooks.before = undefined;
      const reply = answer?.();
      done();
      await released;
      return reply;
    };
  });
  return { met, release };
}

describe("a refresh and a plain schedule of the same minute", () => {
  it.each([
    ["the plain one first", ["plain", "refresh"]],
    ["the refresh first", ["refresh", "plain"]],
    ["the refresh between two plain ones", ["plain", "refresh", "plain"]],
  ])("both take place: %s", async (_, order) => {
    const { deliver, refresh, settle, isSwept } = await shrunk();
    for (const kind of order) {
      await deliver({ ...minute(1), ...(kind === "refresh" ? refresh : {}) });
    }
    await settle();
    await isSwept();
  });

  it("both take place when they come at the same moment", async () => {
    const { deliver, refresh, settle, isSwept } = await shrunk();
    await Promise.all([deliver(minute(1)), deliver({ ...minute(1), ...refresh })]);
    await settle();
    await isSwept();
  });

  it("of a source with children both take place for all of it", async () => {
    const api = blog();
    const { run, deliver, refresh, settle, column } = await shop(
      source([users(), posts()]),
      api.behave,
    );
    await run();
    api.users.shift();
    api.posts.pop();
    await Promise.all([deliver(minute(1)), deliver({ ...minute(1), ...refresh })]);
    await settle();
    expect(await column("users")).toEqual(idsOf(api.users));
    expect(await column("posts")).toEqual(idsOf(api.posts.filter(({ user }) => user !== 1)));
  });
});

it("a worker that answers done to a refresh has carried it out", async () => {
  const { name, deliver, refresh, settle, isSwept } = await shrunk();
  const event = { source: name, resource: "rows", run_id: "2026-01-01T00:01:00Z" };
  expect((await deliver(event, "--worker")).status).toBe("done");
  const answer = await deliver({ ...event, ...refresh }, "--worker");
  if (answer.status === "done") await isSwept();
  await settle();
  await isSwept();
});

describe("an event that is delivered twice", () => {
  it.each(["plain", "refresh"])("is one run: a %s one", async (kind) => {
    const { deliver, refresh, settle, requests } = await shrunk();
    const event = { ...minute(1), ...(kind === "refresh" ? refresh : {}) };
    await deliver(event);
    await settle();
    const after = requests.length;
    await deliver(event);
    await settle();
    expect(requests.length).toBe(after);
  });
});

describe("an event of a child", () => {
  it("has a run of its own behind an interrupted run and a refresh that was wished for", async () => {
    const api = blog();
    const client = { error_handler: { max_retries: 3, backoff_factor: 0.001 } };
    const place = await shop(source([users(), posts()], { client }), api.behave);
    place.hooks.before = ({ path }) =>
      path.endsWith("/posts") ? { status: 429, headers: { "retry-after": "3600" } } : undefined;
    await place.deliver(minute(1));
    expect((await place.state("posts")).status).toBe("waiting");
    place.hooks.before = undefined;
    await place.deliver({ ...minute(2), ...place.refresh });
    expect((await place.state("posts")).wishes).toHaveLength(1);
    const { document } = await place.run();
    const [first] = await place.history("posts");
    expect(first).toMatchObject({ run_id: document.run_id, status: "done" });
  });
});

describe("a refresh that meets a waiting run", () => {
  /** The API has asked the run of minute 1 for an hour's patience. */
  async function waiting() {
    const place = await shrunk();
    place.hooks.before = () => ({ status: 429, headers: { "retry-after": "3600" } });
    await place.deliver(minute(1));
    expect((await place.state("rows")).status).toBe("waiting");
    place.hooks.before = undefined;
    return place;
  }

  it("takes place after it", async () => {
    const { deliver, refresh, run, settle, isSwept } = await waiting();
    await deliver({ ...minute(2), ...refresh });
    // By hand the source is open again; this run ends the one that waited.
    await run();
    await settle();
    await isSwept();
  });

  it("is not said to be done before", async () => {
    const { name, refresh, deliver, isWhole } = await waiting();
    const event = { source: name, resource: "rows", run_id: "by-hand", ...refresh };
    const answer = await deliver(event, "--worker");
    expect(answer.status).not.toBe("done");
    await isWhole();
  });

  it("is told by the state of the resource", async () => {
    const { deliver, refresh, cli, file } = await waiting();
    await deliver({ ...minute(2), ...refresh });
    expect((await cli("state", file)).stdout).toMatch(/wish|asked for/i);
  });
});

describe("a refresh that meets a living worker", () => {
  it("takes place after it", async () => {
    const place = await shrunk();
    const { met, release } = holdNext(place);
    const first = place.deliver(minute(1));
    await Promise.race([met, first]);
    await place.deliver({ ...minute(2), ...place.refresh });
    release();
    await first;
    await place.settle();
    await place.isSwept();
  });

  it("is taken by the next run by hand, at the latest", async () => {
    const place = await shrunk();
    const { met, release } = holdNext(place);
    const first = place.run();
    await Promise.race([met, first]);
    const { of } = await place.run("--full-refresh");
    expect(of("rows").status).not.toBe("succeeded");
    expect(of("rows").error.hint).toMatch(/stored/);
    release();
    await first;
    await place.run();
    await place.isSwept();
  });

  it("takes place, too, where the worker is reading a refresh that had begun before", async () => {
    const place = await shrunk();
    const before = [...place.rows];
    const { met, release } = holdNext(place, () => data(before));
    const first = place.deliver({ ...minute(1), ...place.refresh });
    await Promise.race([met, first]);
    place.rows.splice(0, 1);
    await place.deliver({ ...minute(2), ...place.refresh });
    release();
    await first;
    await place.settle();
    await place.isSwept();
  });

  it("that fails in its turn is told as failed, and not tried for ever", async () => {
    const place = await shrunk();
    const { met, release } = holdNext(place);
    const first = place.deliver(minute(1));
    await Promise.race([met, first]);
    await place.deliver({ ...minute(2), ...place.refresh });
    release();
    await first;
    place.hooks.before = () => ({ status: 400 });
    await place.settle();
    expect((await place.history("rows"))[0]).toMatchObject({ status: "failed" });
    place.hooks.before = undefined;
    const after = place.requests.length;
    await place.settle();
    expect(place.requests.length).toBe(after);
    await place.isWhole();
  });
});

describe("the tick", () => {
  it("goes on with what is read for a child alone", async () => {
    const api = blog();
    const { interruptedAt, settle, column } = await shop(source([users(), posts()]), api.behave);
    await interruptedAt(({ path }) => path === "/users", "--resource", "posts");
    await settle();
    expect(await column("posts")).toEqual(idsOf(api.posts));
    expect(await column("users")).toEqual([]);
  });

  it("goes on with an interrupted run and with its children", async () => {
    const api = blog();
    const { interruptedAt, settle, column } = await shop(source([users(), posts()]), api.behave);
    await interruptedAt(({ path }) => path === "/users");
    await settle();
    expect(await column("users")).toEqual(idsOf(api.users));
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });
});
