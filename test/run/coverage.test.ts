import { describe, expect, it } from "vitest";
import { DAY_MS } from "../../packages/core/src/base/timing.ts";
import type { Cursor } from "../../packages/core/src/flow.ts";
import {
  isBeforeIn,
  isGoneBackFor,
  nextStart,
  servedAfter,
  startOf,
} from "../../packages/core/src/run/coverage.ts";
import type { CursorRange, RunState } from "../../packages/core/src/state/run-state.ts";
import type { StoredState } from "../../packages/core/src/state/state-item.ts";
import { planResources } from "../support/plans.ts";
import { BEGAN, runStateOf, storedStateOf } from "../support/run-state.ts";

/*
 * users has a cursor. posts and likes are its children, comments are children of posts, and tags are
 * replaced in every run.
 */
const users = { name: "users", endpoint: { incremental: { cursor_path: "at" } } };
const childOf = (parent: string, name: string, members: object = {}) => ({
  name,
  endpoint: { path: `${parent}/{resources.${parent}.id}/${name}` },
  ...members,
});
const plan = planResources([
  users,
  childOf("users", "posts"),
  childOf("posts", "comments"),
  childOf("users", "likes"),
  childOf("users", "tags", { write_disposition: "replace" }),
]);

type Served = Cursor | undefined;
const failing = (runs: number, passed = 0, last_at: string | null = null) => ({
  failures: { runs, passed, last_at, is_counted: true },
});
const stateOf = (served: Served, changes: Partial<RunState> = {}): StoredState =>
  storedStateOf({
    body: runStateOf({
      served: served === undefined || served === null ? null : { cursor: served, path: "at" },
      ...changes,
    }),
  });
const allAt = (cursor: Cursor) =>
  new Map(["posts", "comments", "likes", "tags"].map((name) => [name, stateOf(cursor)]));

describe("where a read of a resource with a cursor starts", () => {
  const question = { ownCursor: 10, serves: null, isForChildren: false, now: BEGAN };
  /** Without tags, which need everything. */
  const serves = ["posts", "comments", "likes"];
  const start = (
    followers: Map<string, StoredState | undefined>,
    changes: Partial<Omit<typeof question, "serves"> & { serves: string[] | null }> = { serves },
  ) => startOf(plan("users"), { ...question, followers, ...changes });

  it.each<[string, Map<string, StoredState | undefined>, object, Cursor]>([
    ["at its own cursor, where all followers were served as far", allAt(10), { serves }, 10],
    ["at its own cursor, where followers were served further", allAt(12), { serves }, 10],
    [
      "at the follower that was served least far",
      new Map([...allAt(10), ["likes", stateOf(4)], ["posts", stateOf(7)]]),
      { serves },
      4,
    ],
    [
      "at a grandchild, like at a child",
      new Map([...allAt(10), ["comments", stateOf(3)]]),
      { serves },
      3,
    ],
    [
      "at the beginning for a follower that was never served",
      new Map([...allAt(10), ["likes", stateOf(null)]]),
      { serves },
      null,
    ],
    [
      "at the beginning for a follower that is new or was reset",
      new Map([...allAt(10), ["likes", undefined]]),
      { serves },
      null,
    ],
    [
      "at the beginning for a follower whose place is of another cursor_path",
      new Map([...allAt(10), ["likes", stateOf(10, { served: { cursor: 10, path: "old" } })]]),
      { serves },
      null,
    ],
    ["at the beginning for a follower that replaces its rows", allAt(10), { serves: null }, null],
    [
      "at its own cursor, where nobody asked for the follower that is behind",
      new Map([...allAt(10), ["likes", stateOf(null)]]),
      { serves: ["posts"] },
      10,
    ],
    ["at its own cursor, where it was asked for alone", allAt(null), { serves: [] }, 10],
    ["at the beginning, where it never ran itself", allAt(10), { serves, ownCursor: null }, null],
    [
      "at the followers alone, where it is read for them",
      allAt(12),
      { serves, isForChildren: true },
      12,
    ],
  ])("a read starts %s", (_, followers, changes, expected) => {
    expect(start(followers, changes)).toBe(expected);
  });

  it("a read starts without a follower that fails again and again, so that it is not read whole each time", () => {
    const broken = new Map([...allAt(10), ["likes", stateOf(null, failing(3))]]);
    expect(start(broken)).toBe(10);
    // The fourth fan-out goes back for it.
    expect(start(new Map([...broken, ["likes", stateOf(null, failing(3, 3))]]))).toBeNull();
  });

  it("a read starts without the children of a follower that fails again and again, which it could not serve", () => {
    const broken = new Map([...allAt(10), ["posts", stateOf(10, failing(3))]]);
    expect(start(new Map([...broken, ["comments", stateOf(2)]]))).toBe(10);
  });

  it("a read goes back for a broken child where somebody asks for that child alone", () => {
    const broken = new Map([...allAt(10), ["likes", stateOf(null, failing(9))]]);
    expect(start(broken, { serves: ["likes"], isForChildren: true })).toBeNull();
  });

  it("a cursor that moves down starts at the greatest value", () => {
    const endpoint = { incremental: { cursor_path: "at", last_value_func: "min" as const } };
    const down = planResources([{ name: "users", endpoint }, childOf("users", "posts")])("users");
    const followers = new Map([["posts", stateOf(12)]]);
    expect(startOf(down, { ...question, followers })).toBe(12);
  });

  it("times of different offsets are compared as times", () => {
    const followers = new Map([["posts", stateOf("2026-01-01T12:00:00+02:00")]]);
    const ownCursor = "2026-01-01T11:00:00Z";
    const asked = { ...question, ownCursor, serves: ["posts"], followers };
    expect(startOf(plan("users"), asked)).toBe("2026-01-01T12:00:00+02:00");
  });

  it("what the next read does is told with the followers that it goes back for, and those that it passes over", () => {
    const followers = new Map([
      ...allAt(10),
      ["posts", stateOf(7)],
      ["likes", stateOf(1, failing(2))],
    ]);
    const withoutTags = {
      ...plan("users"),
      followers: plan("users").followers.filter(({ name }) => name !== "tags"),
    };
    expect(nextStart(withoutTags, 10, followers, BEGAN)).toEqual({
      cursor: 7,
      goesBackFor: [{ resource: "posts", served: 7 }],
      passesOver: ["likes"],
    });
  });
});

describe("how often a fan-out goes back for a follower that has failed", () => {
  it.each<[number, number, boolean]>([
    [0, 0, true],
    [1, 0, true],
    [2, 0, false],
    [2, 1, true],
    [3, 2, false],
    [3, 3, true],
    [4, 6, false],
    [4, 7, true],
    [60, 1000, false],
  ])("after %i failures in a row and %i fan-outs since: %s", (runs, passed, expected) => {
    const lastAt = new Date(BEGAN).toISOString();
    const state = runStateOf(failing(runs, passed, lastAt));
    expect(isGoneBackFor(state, BEGAN + DAY_MS - 1)).toBe(expected);
    expect(isGoneBackFor(state, BEGAN + DAY_MS)).toBe(true);
  });

  it("a fan-out goes back for a follower that never ran", () => {
    expect(isGoneBackFor(undefined, BEGAN)).toBe(true);
    expect(isGoneBackFor(null, BEGAN)).toBe(true);
  });
});

describe("how far a follower has been served behind an epoch", () => {
  const at = (cursor: Cursor): RunState["served"] =>
    cursor === null ? null : { cursor, path: "at" };
  it.each<[string, Cursor, CursorRange | null, Cursor]>([
    ["moves to the end of an epoch that starts where it was", 5, { start: 5, end: 9 }, 9],
    ["moves to the end of an epoch that starts before it", 5, { start: 2, end: 9 }, 9],
    ["moves to the end of an epoch of everything", null, { start: null, end: 9 }, 9],
    ["stays where an epoch starts after it", 5, { start: 6, end: 9 }, 5],
    [
      "stays at nothing, where it was reset while it read changes",
      null,
      { start: 5, end: 9 },
      null,
    ],
    ["stays where an epoch ends before it", 5, { start: 2, end: 4 }, 5],
    ["stays where an epoch of everything ends before it", 5, { start: null, end: 4 }, 5],
    ["stays where an epoch found nothing", 5, { start: 5, end: null }, 5],
    ["stays where an epoch has no range", 5, null, 5],
  ])("it %s", (_, before, range, after) => {
    for (const name of ["posts", "comments"]) {
      expect(servedAfter(plan(name), at(before), range)).toEqual(at(after));
    }
  });

  it("a place that is of another cursor_path counts as none, and gets the epoch's", () => {
    const other = { cursor: 7, path: "old" };
    expect(servedAfter(plan("posts"), other, { start: 5, end: 9 })).toBe(other);
    expect(servedAfter(plan("posts"), other, { start: null, end: 9 })).toEqual(at(9));
  });

  it("a resource that replaces its rows has no place, because it needs everything each time", () => {
    expect(servedAfter(plan("tags"), at(5), { start: null, end: 9 })).toBeNull();
  });

  it("a resource with a cursor of its own has none, and neither has one without such an ancestor", () => {
    expect(servedAfter(plan("users"), null, { start: null, end: 9 })).toBeNull();
    const free = planResources(["users", childOf("users", "posts")]);
    expect(servedAfter(free("posts"), null, { start: null, end: 9 })).toBeNull();
  });
});

describe("the order of cursor values", () => {
  it.each<[Cursor, Cursor, boolean]>([
    [null, 1, true],
    [1, null, false],
    [null, null, false],
    [9, 10, true],
    ["9", "10", true],
    [10, 10, false],
    ["2026-01-01", "2026-01-02", true],
  ])("%s is before %s: %s", (value, comparedTo, expected) => {
    expect(isBeforeIn(plan("users").incremental)(value, comparedTo)).toBe(expected);
  });

  it("values of a resource without a cursor have no order", () => {
    expect(isBeforeIn(undefined)(1, 2)).toBe(false);
  });
});
