import { describe, expect, it } from "vitest";
import { blog, idsOf, posts, users } from "./blog.ts";
import { shop, source } from "./support.ts";

// A child that is broken for long is gone back for at growing distances.

async function broken() {
  const api = blog();
  const place = await shop(source([users(), posts()]), api.behave);
  await place.run();
  api.add(1, 10);
  api.add(3, 11);
  api.down = /posts/;
  await place.run();
  /** Runs until the child is left out for once. Returns where its parent's read started then. */
  const untilLeftOut = async () => {
    for (let n = 0; n < 6; n++) {
      const before = place.requests.length;
      const { of } = await place.run();
      const asked = place.requests.slice(before).find(({ path }) => path === "/users");
      if (of("posts").status === "skipped") return { of, since: asked?.query.get("since") };
    }
    throw new Error("the child is tried in each run");
  };
  return { api, untilLeftOut, ...place };
}

describe("a child that fails again and again", () => {
  it("is left out now and then, and its parent is read from its own cursor there", async () => {
    const { untilLeftOut } = await broken();
    const { of, since } = await untilLeftOut();
    expect(of("posts").error.code).toBe("run.parent_gap");
    expect(of("users").status).toBe("succeeded");
    expect(since).toBe("11");
  });

  it("gets all that it missed some runs after it has been mended", async () => {
    const { api, untilLeftOut, run, column } = await broken();
    await untilLeftOut();
    api.add(2, 20);
    api.down = undefined;
    for (let n = 0; n < 4; n++) await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
    api.add(1, 30);
    expect((await run()).of("posts").status).toBe("succeeded");
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("is told in the state of its source, with how far it has been served", async () => {
    const { cli, file } = await broken();
    const { stdout } = await cli("state", file);
    expect(stdout).toMatch(/posts[^\n]*served[^\n]*\b3\b|served[^\n]*posts[^\n]*\b3\b/i);
  });
});

describe("a child whose run overlaps a whole one", () => {
  it("gets what the whole one would have brought it", async () => {
    const api = blog();
    const { run, column, hooks } = await shop(source([users(), posts()]), api.behave);
    await run();
    api.add(1, 10);
    api.add(2, 11);
    let goOn = () => {};
    const mayGoOn = new Promise<void>((done) => {
      goOn = done;
    });
    let met = () => {};
    const isMet = new Promise<void>((done) => {
      met = done;
    });
    hooks.before = async ({ path }) => {
      if (!path.includes("posts")) return undefined;
      met();
      await mayGoOn;
      return undefined;
    };
    const first = run("--resource", "posts");
    await isMet;
    api.add(1, 20);
    api.add(3, 21);
    const second = run();
    await Promise.race([second, new Promise((done) => setTimeout(done, 1_500))]);
    goOn();
    await Promise.all([first, second]);
    await run();
    await run();
    expect(await column("users")).toEqual(idsOf(api.users));
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });
});
