import { rest_api_source, type SourceConfig } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import { includedAttribute, rootAbove } from "../../packages/core/src/config/lineage.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";

const single = { data_selector: "data", paginator: "single_page" };
const cursor = { cursor_path: "at", start_param: "since" };

const resource = (name: string, endpoint: object = {}, members: object = {}) => ({
  name,
  primary_key: "id",
  endpoint: { ...single, ...endpoint },
  ...members,
});
const users = (incremental?: object, members?: object) =>
  resource("users", incremental ? { incremental: { ...cursor, ...incremental } } : {}, members);
const posts = (endpoint: object = {}, members?: object) =>
  resource("posts", { path: "users/{resources.users.id}/posts", ...endpoint }, members);
const comments = (endpoint: object = {}, members?: object) =>
  resource("comments", { path: "posts/{resources.posts.id}/comments", ...endpoint }, members);

const sourceOf = (resources: object[]) =>
  rest_api_source({ client: { base_url: "https://api.example.com" }, resources } as SourceConfig);
const problemsOf = (...resources: object[]) => validate(sourceOf(resources), "blog");

const own = { incremental: cursor };
const perParent = { incremental: { ...cursor, per_parent: true } };
const replaced = { write_disposition: "replace" };

describe("a cursor below an incremental resource", () => {
  test.each<[string, object[], string]>([
    ["of a child", [users({}), posts(own)], "resources[1].endpoint.incremental"],
    ["of a grandchild", [users({}), posts(), comments(own)], "resources[2].endpoint.incremental"],
    [
      "among params",
      [users({}), posts({ params: { since: { type: "incremental", cursor_path: "at" } } })],
      "resources[1].endpoint.params.since",
    ],
    [
      "of a resource that is not stored",
      [users({}), posts(own, { ...replaced, selected: false })],
      "resources[1].endpoint.incremental",
    ],
  ])("one cursor for all parents is refused: %s", (_, resources, path) => {
    expect(problemsOf(...resources)).toEqual([
      {
        path,
        message: expect.stringMatching(/^"users" is read for its changes alone/),
        hint: expect.stringContaining('"per_parent": true'),
      },
    ]);
  });

  it.each<[string, object[]]>([
    ["per parent", [users({}), posts(perParent)]],
    ["per parent, of a grandchild", [users({}), posts(), comments(perParent)]],
    ["per parent, with append", [users({}), posts(perParent, { write_disposition: "append" })]],
    [
      "that is a backfill",
      [users({}), posts({ incremental: { ...cursor, initial_value: 1, end_value: 9 } })],
    ],
    ["of a resource that is replaced, and so read whole", [users({}), posts(own, replaced)]],
    ["below a resource that is read whole", [users(), posts(own)]],
    ["below a backfill", [users({ initial_value: 1, end_value: 9 }), posts(own)]],
    ["below an incremental that is replaced, and so read whole", [users({}, replaced), posts(own)]],
  ])("a cursor is accepted %s", (_, resources) => {
    expect(problemsOf(...resources)).toEqual([]);
  });
});

describe("per_parent", () => {
  it("per_parent is refused for a resource that has children", () => {
    expect(problemsOf(users(), posts(perParent), comments())).toEqual([
      {
        path: "resources[1].endpoint.incremental.per_parent",
        message: expect.stringMatching(/^"comments" is read for each record of this resource/),
        hint: expect.stringContaining("remove per_parent"),
      },
    ]);
  });

  it("per_parent is refused for a resource without a parent", () => {
    expect(problemsOf(users({ per_parent: true })).map(({ path }) => path)).toEqual([
      "resources[0].endpoint.incremental.per_parent",
    ]);
  });
});

describe("a replace below an ancestor that is read within a range", () => {
  test.each<[string, object[], string]>([
    [
      "an initial_value of the parent",
      [users({ initial_value: 1 }), posts({}, replaced)],
      'add "include_from_parent": ["at"] to posts, or use "merge"',
    ],
    [
      "an end_value of the parent",
      [users({ initial_value: 1, end_value: 9 }), posts({}, replaced)],
      'add "include_from_parent": ["at"] to posts, or use "merge"',
    ],
    [
      "another field that is included",
      [users({ initial_value: 1 }), posts({}, { ...replaced, include_from_parent: ["name"] })],
      'add "include_from_parent": ["at"] to posts, or use "merge"',
    ],
    [
      "an initial_value of the grandparent",
      [users({ initial_value: 1 }), posts(), comments({}, replaced)],
      'add "include_from_parent": ["at"] to posts and "include_from_parent": ["_users_at"] to comments, or use "merge"',
    ],
    [
      "a value that is not handed on",
      [
        users({ initial_value: 1 }),
        posts({}, { include_from_parent: ["at"] }),
        comments({}, replaced),
      ],
      'add "include_from_parent": ["at"] to posts and "include_from_parent": ["_users_at"] to comments, or use "merge"',
    ],
  ])("a replace that cannot tell the range is refused: %s", (_, resources, hint) => {
    expect(problemsOf(...resources)).toEqual([
      {
        path: `resources[${resources.length - 1}].write_disposition`,
        message: expect.stringMatching(/^"users" is read within a range of "at" only/),
        hint,
      },
    ]);
  });

  it.each<[string, object[]]>([
    [
      "with the ancestor's cursor",
      [users({ initial_value: 1 }), posts({}, { ...replaced, include_from_parent: ["at"] })],
    ],
    [
      "with a cursor at a path",
      [
        users({ initial_value: 1, cursor_path: "meta.at" }),
        posts({}, { ...replaced, include_from_parent: ["$.meta.at"] }),
      ],
    ],
    [
      "with the grandparent's cursor",
      [
        users({ initial_value: 1 }),
        posts({}, { include_from_parent: ["at"] }),
        comments({}, { ...replaced, include_from_parent: ["_users_at"] }),
      ],
    ],
    ["below an ancestor without a range", [users({}), posts({}, replaced)]],
    ["that is a merge", [users({ initial_value: 1 }), posts()]],
    [
      "that is not stored",
      [users({ initial_value: 1 }), posts({}, { ...replaced, selected: false })],
    ],
  ])("a child is accepted %s", (_, resources) => {
    expect(problemsOf(...resources)).toEqual([]);
  });
});

it("a config of any shape is checked without an exception", () => {
  const odd = [
    { name: 5, endpoint: { path: "{resources.posts.id}", incremental: { per_parent: true } } },
    {
      name: "posts",
      write_disposition: "replace",
      include_from_parent: "at",
      endpoint: { path: "{resources.users.id}" },
    },
    { name: "users", endpoint: { incremental: { cursor_path: "$..at", initial_value: 1 } } },
    { endpoint: { incremental: { per_parent: true } } },
  ];
  expect(problemsOf(...odd).length).toBeGreaterThan(0);
});

describe("includedAttribute", () => {
  const include = (field: string, parent: string) => ({
    paths: [parseJsonPath(field)],
    as: `_${parent}_${field}`,
  });

  it("a value that each generation hands on has the attribute of the last", () => {
    const path = parseJsonPath("at");
    expect(includedAttribute(path, [[include("at", "users")]])).toBe("_users_at");
    expect(
      includedAttribute(path, [
        [include("name", "users"), include("at", "users")],
        [include("_users_at", "posts")],
      ]),
    ).toBe("_posts__users_at");
  });

  it("a value that one generation keeps to itself has no attribute", () => {
    const path = parseJsonPath("at");
    expect(includedAttribute(path, [[]])).toBeUndefined();
    expect(includedAttribute(path, [[include("at", "users")], []])).toBeUndefined();
  });
});

it("the plan tells a resource with a cursor which stored resources follow it", () => {
  const planned = planSource(
    sourceOf([users({}), posts({}, { selected: false }), comments({}, replaced)]),
    "blog",
  ).resources;
  const followersOf = (name: string) => planned.find((plan) => plan.name === name)?.followers;
  expect(followersOf("users")).toEqual([{ name: "comments", needsWhole: true, above: [] }]);
  expect(followersOf("posts")).toEqual([]);
  expect(planned.map((plan) => rootAbove(plan)?.name)).toEqual([undefined, "users", "users"]);
});
