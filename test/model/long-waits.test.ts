import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { data, shop, source } from "./support.ts";

// What one answer may ask for has an end, and a person is stronger than it.

const DAY_MS = 24 * 60 * 60_000;
const farAway = new Date("2099-01-01T00:00:00Z").toUTCString();

/** An API that has asked once to wait for a week, and is well again. The run is left alone. */
async function closed(after: string, status = 429) {
  const client = { error_handler: { max_retries: 3, backoff_factor: 0.001 } };
  const place = await shop(source(["rows", "others"], { client }), () => data([{ id: 1 }]));
  place.hooks.before = () => ({ status, headers: { "retry-after": after } });
  const { ended, interrupt } = place.start(["run", place.file, "--json", "--resource", "rows"]);
  for (let n = 0; n < 100 && place.requests.length === 0; n++) await wait(20);
  await wait(300);
  interrupt();
  await ended;
  place.hooks.before = undefined;
  return place;
}

describe.each([
  ["a week", "604800", 429],
  ["a week, with a 503", "604800", 503],
  ["until a date far away", farAway, 429],
])("an answer that asks to wait for %s", (_, after, status) => {
  it("closes its source for a day at most", async () => {
    const { state } = await closed(after, status);
    const { not_before } = await state("rows");
    expect(Date.parse(not_before ?? new Date().toISOString())).toBeLessThan(Date.now() + DAY_MS);
  });

  it("does not keep a person's next run from asking", async () => {
    const { run } = await closed(after, status);
    const { of } = await run();
    expect(of("rows")).toMatchObject({ status: "succeeded", records: 1 });
    expect(of("others")).toMatchObject({ status: "succeeded", records: 1 });
  });
});

describe("after an answer that asks to wait", () => {
  it("a reset opens the source for its next schedule", async () => {
    const { reset, deliver, settle, column } = await closed("604800");
    expect((await reset("rows")).exit).toBe(0);
    await deliver({ time: "2026-01-01T00:00Z" });
    await settle();
    expect(await column("rows")).toEqual(["1"]);
  });

  it("a schedule does not ask before its time", async () => {
    const { deliver, requests } = await closed("3600");
    const before = requests.length;
    await deliver({ time: "2026-01-01T00:00Z" });
    await deliver({ resume: true });
    expect(requests.length).toBe(before);
  });
});

describe("a child that waits as the API has asked", () => {
  it("an event that its run does not answer comes to an end in the history", async () => {
    const child = { name: "parts", endpoint: { path: "rows/{resources.rows.id}" } };
    const client = { error_handler: { max_retries: 3, backoff_factor: 0.001 } };
    const { deliver, history } = await shop(source(["rows", child], { client }), ({ path }) =>
      path.startsWith("/rows/")
        ? { status: 429, headers: { "retry-after": "3000" } }
        : data([{ id: 1 }]),
    );
    await deliver({ time: "2026-03-01T00:00:00Z" });
    await deliver({ time: "2026-03-01T01:00:00Z" });
    const runs = await history("parts");
    expect(runs).toMatchObject([{ status: "skipped" }]);
    expect(JSON.stringify(runs)).toContain("T01:00");
  });
});
