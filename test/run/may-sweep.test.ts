import { describe, expect, it } from "vitest";
import type { IncrementalConfig } from "../../packages/core/src/config/endpoint-types.ts";
import type { ResourcePlan } from "../../packages/core/src/config/plan-types.ts";
import type { Item } from "../../packages/core/src/flow.ts";
import {
  isPermission,
  maySweep,
  noSweepError,
  type SweepPermission,
} from "../../packages/core/src/run/may-sweep.ts";
import type { sweepRows } from "../../packages/core/src/run/sweep.ts";
import { planResources } from "../support/plans.ts";

/** A read that covers everything, and of which nothing was left out. */
const whole = {
  coverage: "everything",
  lacks_parents: false,
  lacks_keys: false,
  is_numbered: false,
} as const;
type ReadResult = Parameters<typeof maySweep>[1];

const childOf = (parent: string, name: string, members: object = {}) => ({
  name,
  endpoint: { path: `${parent}/{resources.${parent}.id}/${name}` },
  ...members,
});
const rows = planResources(["rows"])("rows");
const withCursor = (incremental: Partial<IncrementalConfig>, members: object = {}) =>
  planResources([
    { name: "rows", endpoint: { incremental: { cursor_path: "at", ...incremental } }, ...members },
  ])("rows");

function permissionFor(resource: ResourcePlan, read: ReadResult = whole): SweepPermission {
  const answer = maySweep(resource, read);
  if (isPermission(answer)) return answer;
  throw new Error(answer.reason);
}

describe("a read that does not sweep", () => {
  it.each<[string, ResourcePlan, Partial<ReadResult>, string]>([
    [
      "of a resource that appends",
      planResources([{ name: "rows", write_disposition: "append" }])("rows"),
      {},
      "rows that are appended are kept for ever",
    ],
    ["that covers changes alone", rows, { coverage: "changes" }, "read for its changes alone"],
    [
      "for which records of the parent were set aside",
      rows,
      { lacks_parents: true },
      "records of the parent were set aside",
    ],
    [
      "of which records without a usable key were set aside",
      rows,
      { lacks_keys: true },
      "records without a usable key were set aside",
    ],
  ])("a read %s deletes nothing, and says why and what to do", (_, resource, changes, reason) => {
    const answer = maySweep(resource, { ...whole, ...changes });
    expect(answer).toEqual({
      reason: expect.stringContaining(reason),
      hint: expect.stringMatching(/\S/),
    });
    if (isPermission(answer)) throw new Error("it may sweep");
    expect(noSweepError(answer)).toMatchObject({
      code: "run.no_sweep",
      message: `nothing was deleted: ${answer.reason}`,
      hint: answer.hint,
    });
  });

  const bounded = { incremental: { cursor_path: "at", initial_value: 5 } };
  const users = { name: "users", endpoint: bounded };
  const fromParent = { include_from_parent: ["at"] };
  it.each<[string, Parameters<typeof planResources>[0], string, string]>([
    [
      "its parent",
      [users, childOf("users", "posts")],
      "posts",
      'add "include_from_parent": ["at"] to posts',
    ],
    [
      "its grandparent, even where its rows tell the parent's value",
      [users, childOf("users", "posts", fromParent), childOf("posts", "comments", fromParent)],
      "comments",
      'add "include_from_parent": ["at"] to posts and "include_from_parent": ["_users_at"] to comments',
    ],
  ])("a child deletes nothing where %s is read from a certain value on and its rows do not tell theirs", (_, resources, name, hint) => {
    expect(maySweep(planResources(resources)(name), whole)).toEqual({
      reason: 'users is read from a certain "at" on, and the rows do not tell theirs',
      hint,
    });
  });
});

describe("a read that sweeps", () => {
  it("a read that covers everything sweeps every row that it has not seen", () => {
    const permission = permissionFor(rows);
    expect(permission).toMatchObject({ needsTwoReads: false, isRanged: false });
    expect(permission.isInRange({ id: { S: "1" } })).toBe(true);
  });

  it("behind numbered pages a row goes only when two whole reads in a row have not seen it", () => {
    expect(permissionFor(rows, { ...whole, is_numbered: true }).needsTwoReads).toBe(true);
  });

  const N = (at: number): Item => ({ at: { N: String(at) } });
  const S = (at: string): Item => ({ at: { S: at } });
  it.each<[string, Partial<IncrementalConfig>, [Item, boolean][]]>([
    [
      "from an initial_value on",
      { initial_value: 5 },
      [
        [N(4), false],
        [N(5), true],
        [N(9), true],
      ],
    ],
    [
      "up to an end_value",
      { initial_value: 5, end_value: 9 },
      [
        [N(4), false],
        [N(5), true],
        [N(8), true],
        [N(9), false],
      ],
    ],
    [
      "with the borders as the config has them",
      { initial_value: 5, end_value: 9, range_start: "open", range_end: "closed" },
      [
        [N(5), false],
        [N(6), true],
        [N(9), true],
        [N(10), false],
      ],
    ],
    [
      "of times, whatever their offsets",
      { initial_value: "2026-01-01T00:00:00Z" },
      [
        [S("2026-01-01T01:00:00+02:00"), false],
        [S("2026-01-01T03:00:00+02:00"), true],
      ],
    ],
    [
      "that moves down",
      { initial_value: 9, last_value_func: "min" },
      [
        [N(10), false],
        [N(9), true],
        [N(1), true],
      ],
    ],
  ])("only rows of the range go, where a range is read: %s", (_, incremental, expected) => {
    const permission = permissionFor(withCursor(incremental));
    expect(permission.isRanged).toBe(true);
    expect(expected.map(([row]) => [row, permission.isInRange(row)])).toEqual(expected);
  });

  it("a row without a value that can be compared stays, where a range is read", () => {
    const { isInRange } = permissionFor(withCursor({ initial_value: 5 }));
    const kept: Item[] = [
      {},
      { at: { NULL: true } },
      { at: { S: "tomorrow" } },
      { at: { BOOL: true } },
      { at: { L: [{ N: "9" }] } },
      { other: { N: "9" } },
    ];
    expect(kept.filter(isInRange)).toEqual([]);
  });

  it("the value of a row stands where the cursor_path says, inside of maps, too", () => {
    const { isInRange } = permissionFor(withCursor({ cursor_path: "meta.at", initial_value: 5 }));
    expect(isInRange({ meta: { M: { at: { N: "6" } } } })).toBe(true);
    expect(isInRange({ meta: { M: { at: { N: "4" } } } })).toBe(false);
    expect(isInRange({ at: { N: "6" } })).toBe(false);
  });

  it("a cursor without a range bounds nothing: a refresh has read everything", () => {
    const permission = permissionFor(withCursor({}));
    expect(permission.isRanged).toBe(false);
    expect(permission.isInRange({})).toBe(true);
  });

  it("a child sweeps within the range of its parent, which its rows tell", () => {
    const users = {
      name: "users",
      endpoint: { incremental: { cursor_path: "at", initial_value: 5 } },
    };
    const posts = childOf("users", "posts", { include_from_parent: ["at"] });
    const permission = permissionFor(planResources([users, posts])("posts"));
    expect(permission.isRanged).toBe(true);
    expect(permission.isInRange({ _users_at: { N: "5" } })).toBe(true);
    expect(permission.isInRange({ _users_at: { N: "4" } })).toBe(false);
    // Its own field of that name says nothing about the parent's range.
    expect(permission.isInRange({ at: { N: "5" } })).toBe(false);
  });

  it("a child without a cursor sweeps everything below a parent with a cursor and no range", () => {
    const users = { name: "users", endpoint: { incremental: { cursor_path: "at" } } };
    const posts = planResources([users, childOf("users", "posts")])("posts");
    expect(permissionFor(posts)).toMatchObject({ isRanged: false, needsTwoReads: false });
  });
});

describe("the types of a sweep", () => {
  type Parameter = Parameters<typeof sweepRows>[2];
  const take = (_permission: Parameter): void => {};

  it("only the answer of maySweep that allows a sweep compiles as its permission", () => {
    const answer = maySweep(rows, whole);
    if (isPermission(answer)) take(answer);
    // @ts-expect-error nobody has looked whether the answer allows it
    take(answer);
    // @ts-expect-error a permission that was made by hand
    take({ needsTwoReads: false, isInRange: () => true, isRanged: false });
    // @ts-expect-error no permission at all
    take(undefined);
    // @ts-expect-error the reason for which it was refused
    take({ reason: "", hint: "" });
    expect(isPermission(answer)).toBe(true);
  });

  it("a sweep without a permission does not compile", () => {
    type WithoutPermission = (
      job: Parameters<typeof sweepRows>[0],
      state: Parameters<typeof sweepRows>[1],
    ) => unknown;
    // @ts-expect-error a call with job and state alone
    const sweepAnyway: WithoutPermission | undefined = undefined as typeof sweepRows | undefined;
    expect(sweepAnyway).toBeUndefined();
  });
});
