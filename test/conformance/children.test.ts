import { inTurn, reply, slices } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row, Run } from "./rows.ts";

const users = [
  { id: 1, name: "ada" },
  { id: 2, name: "bob" },
];
const postOf = (user: number) => [{ id: `${user}a` }, { id: `${user}b` }];
const api = { "/users": users, "/users/1/posts": postOf(1), "/users/2/posts": postOf(2) };
const allPosts = [...postOf(1), ...postOf(2)];
const asked = ["/users", "/users/1/posts", "/users/2/posts"];

const posts = { name: "posts", endpoint: { path: "users/{resources.users.id}/posts" } };

const blog = (name: string, child: object | object[], shows: Partial<Row> = {}): Row => ({
  name,
  routes: api,
  resources: ["users", ...[child].flat()],
  ...shows,
});

/** A child of another shape, whose requests alone count. */
const asking = (
  name: string,
  endpoint: object,
  requests: NonNullable<Row["requests"]>,
  routes: object = {},
): Row =>
  blog(
    name,
    { name: "posts", endpoint },
    {
      routes: { ...api, "/posts": [], "POST /posts": [], ...routes },
      requests: ["/users", ...requests],
    },
  );

const rows: Row[] = [
  blog("a child is read for each record of its parent", posts, {
    requests: asked,
    records: { users, posts: allPosts },
    reports: { users: { records: 2 }, posts: { records: 4, requests: 2 } },
  }),
  blog("the order in the config does not matter", posts, {
    resources: [posts, "users"],
    requests: asked,
  }),
  blog(
    "{ type: resolve } in the path",
    {
      name: "posts",
      endpoint: {
        path: "users/{user_id}/posts",
        params: { user_id: { type: "resolve", resource: "users", field: "id" } },
      },
    },
    { requests: asked, records: { posts: allPosts } },
  ),
  blog(
    "several fields of one parent",
    {
      name: "posts",
      endpoint: {
        path: "{who}/{no}/posts",
        params: {
          who: { type: "resolve", resource: "users", field: "name" },
          no: { type: "resolve", resource: "users", field: "id" },
        },
      },
    },
    {
      routes: { "/users": users, "/ada/1/posts": postOf(1), "/bob/2/posts": postOf(2) },
      requests: ["/users", "/ada/1/posts", "/bob/2/posts"],
    },
  ),
  blog(
    "a field may be a path into the record",
    { name: "posts", endpoint: "users/{resources.users.profile.no}/posts" },
    {
      routes: { ...api, "/users": [{ profile: { no: 1 } }] },
      requests: ["/users", "/users/1/posts"],
    },
  ),
  asking("better than dlt: in a parameter", { params: { user: "{resources.users.id}", n: 1 } }, [
    "/posts?n=1&user=1",
    "/posts?n=1&user=2",
  ]),
  asking("within a text of a parameter", { params: { q: "by:{resources.users.name}" } }, [
    "/posts?q=by:ada",
    "/posts?q=by:bob",
  ]),
  asking(
    "in a header, its name too",
    { headers: { "x-{resources.users.name}": "{resources.users.id}" } },
    [
      ["/posts", { headers: { "x-ada": "1" } }],
      ["/posts", { headers: { "x-bob": "2" } }],
    ],
  ),
  asking(
    "in the JSON body, with its type",
    {
      method: "POST",
      json: {
        user: "{resources.users.id}",
        text: "no {resources.users.id}",
        deep: [{ n: "{resources.users.name}" }],
      },
    },
    [
      ["POST /posts", { json: { user: 1, text: "no 1", deep: [{ n: "ada" }] } }],
      ["POST /posts", { json: { user: 2, text: "no 2", deep: [{ n: "bob" }] } }],
    ],
  ),
  asking("in a form", { method: "POST", data: { user: "{resources.users.id}" } }, [
    ["POST /posts", { form: { user: "1" } }],
    ["POST /posts", { form: { user: "2" } }],
  ]),
  asking(
    "in a text that is sent as it is",
    { method: "POST", data: "<user>{resources.users.id}</user>" },
    [
      ["POST /posts", { body: "<user>1</user>" }],
      ["POST /posts", { body: "<user>2</user>" }],
    ],
  ),
  asking("doubled braces are braces", { method: "POST", data: '{{"user":{resources.users.id}}}' }, [
    ["POST /posts", { body: '{"user":1}' }],
    ["POST /posts", { body: '{"user":2}' }],
  ]),
  asking(
    "better than dlt: true is sent as true",
    { params: { active: "{resources.users.on}" } },
    ["/posts?active=true"],
    {
      "/users": [{ id: 1, on: true }],
    },
  ),
  ...[
    ["a slash", "a/b", "a%2Fb"],
    ["a question mark", "a?b", "a%3Fb"],
    ["a hash", "a#b", "a%23b"],
    ["a space", "a b", "a%20b"],
    ["other letters", "é", "%C3%A9"],
    ["a percent sign", "a%b", "a%25b"],
  ].map(([what, id, sent]) =>
    blog(`better than dlt: ${what} in a parent's value is encoded in the path`, posts, {
      routes: { "/users": [{ id }], [`/users/${sent}/posts`]: postOf(1) },
      requests: ["/users", `/users/${sent}/posts`],
    }),
  ),
  blog("large ids are exact in the path", posts, {
    routes: {
      "/users": () => ({
        body: '[{"id":9007199254740993}]',
        headers: { "content-type": "application/json" },
      }),
      "/users/9007199254740993/posts": postOf(1),
    },
    requests: ["/users", "/users/9007199254740993/posts"],
  }),
  blog("no parents are no requests", posts, {
    routes: { "/users": [] },
    requests: ["/users"],
    records: { users: [], posts: [] },
  }),
  blog(
    "each parent's pages are read from the first",
    {
      name: "posts",
      endpoint: {
        path: "users/{resources.users.id}/posts",
        paginator: { type: "offset", limit: 1 },
      },
    },
    {
      routes: {
        "/users": users,
        "/users/1/posts": slices(postOf(1), { more: () => ({ total: 2 }) }),
        "/users/2/posts": slices(postOf(2), { more: () => ({ total: 2 }) }),
      },
      requests: [
        "/users",
        ...[1, 2].flatMap((id) => [0, 1].map((n) => `/users/${id}/posts?limit=1&offset=${n}`)),
      ],
      records: { posts: allPosts },
    },
  ),
  blog("all pages of the parent count", posts, {
    routes: {
      ...api,
      "/users": inTurn({ data: users.slice(0, 1), next: "?p=2" }, { data: users.slice(1) }),
    },
    requests: ["/users", "/users?p=2", "/users/1/posts", "/users/2/posts"],
    records: { posts: allPosts },
  }),
  blog("several levels", [posts, { name: "likes", endpoint: "posts/{resources.posts.id}/likes" }], {
    routes: {
      ...api,
      "/users": users.slice(0, 1),
      "/posts/1a/likes": [{ n: 1 }],
      "/posts/1b/likes": [{ n: 2 }],
    },
    requests: ["/users", "/users/1/posts", "/posts/1a/likes", "/posts/1b/likes"],
    records: { likes: [{ n: 1 }, { n: 2 }] },
  }),
  blog(
    "two children of one parent",
    [posts, { name: "tags", endpoint: "users/{resources.users.id}/tags" }],
    {
      routes: { ...api, "/users/1/tags": [{ t: 1 }], "/users/2/tags": [] },
      records: { posts: allPosts, tags: [{ t: 1 }] },
    },
  ),

  // include_from_parent
  blog(
    "include_from_parent adds _parent_field",
    { ...posts, include_from_parent: ["id", "name"] },
    {
      records: {
        posts: users.flatMap(({ id, name }) =>
          postOf(id).map((post) => ({ ...post, _users_id: id, _users_name: name })),
        ),
      },
    },
  ),
  blog(
    "include_from_parent takes whole values, and null",
    { ...posts, include_from_parent: ["x"] },
    {
      routes: {
        ...api,
        "/users": [
          { id: 1, x: { a: [1] } },
          { id: 2, x: null },
        ],
      },
      records: {
        posts: [
          ...postOf(1).map((post) => ({ ...post, _users_x: { a: [1] } })),
          ...postOf(2).map((post) => ({ ...post, _users_x: null })),
        ],
      },
    },
  ),
  blog(
    "include_from_parent of a field that is not there is an error",
    { ...posts, include_from_parent: ["mail"] },
    {
      fails: ["extract.parent_field", "mail"],
      reports: { users: { status: "succeeded" }, posts: { status: "failed" } },
    },
  ),
  {
    name: "include_from_parent without a parent is a config error",
    resource: { include_from_parent: ["id"] },
    problems: [["resources[0].include_from_parent", "no parent"]],
  },

  // Values that are missing
  blog("a parent's record without the field is an error that names it", posts, {
    routes: { ...api, "/users": [{ no: 1 }] },
    fails: ["extract.parent_field", 'users has nothing at "id"'],
    reports: {},
  }),
  blog("better than dlt: null is an error, never /None/", posts, {
    routes: { ...api, "/users": [{ id: null }] },
    requests: ["/users"],
    fails: ["extract.parent_field", "null"],
  }),
  blog(
    "better than dlt: on_parent_value_missing skip leaves such records out",
    { ...posts, on_parent_value_missing: "skip" },
    {
      routes: { ...api, "/users": [{ id: 1 }, { id: null }, {}] },
      requests: ["/users", "/users/1/posts"],
      records: { posts: postOf(1) },
    },
  ),
  blog("a value that is an object is an error", posts, {
    routes: { ...api, "/users": [{ id: { a: 1 } }] },
    fails: ["extract.template", "an object"],
  }),

  // Single entities
  blog(
    "a placeholder at the path's end: the answer is the record",
    { name: "user", endpoint: "users/{resources.users.id}" },
    {
      routes: {
        "/users": users,
        "/users/1": { id: 1, tags: [{ no: 1 }] },
        "/users/2": { id: 2, tags: [] },
      },
      requests: ["/users", "/users/1", "/users/2"],
      records: {
        user: [
          { id: 1, tags: [{ no: 1 }] },
          { id: 2, tags: [] },
        ],
      },
    },
  ),
  blog(
    "the same with resolve",
    {
      name: "user",
      endpoint: {
        path: "users/{id}",
        params: { id: { type: "resolve", resource: "users", field: "id" } },
      },
    },
    {
      routes: { "/users": users.slice(0, 1), "/users/1": { id: 1, tags: [{ no: 1 }] } },
      records: { user: [{ id: 1, tags: [{ no: 1 }] }] },
    },
  ),
  blog(
    "a single entity is a single page, over the client's paginator",
    { name: "user", endpoint: "users/{resources.users.id}" },
    {
      client: { paginator: { type: "offset", limit: 2 } },
      resources: [
        { name: "users", endpoint: { paginator: "single_page" } },
        { name: "user", endpoint: "users/{resources.users.id}" },
      ],
      routes: { "/users": users.slice(0, 1), "/users/1": { id: 1, next: "$api/x" } },
      requests: ["/users", "/users/1"],
    },
  ),
  blog(
    "but not over its own paginator",
    {
      name: "user",
      endpoint: {
        path: "users/{resources.users.id}",
        paginator: { type: "page_number", maximum_page: 1 },
      },
    },
    {
      routes: { "/users": users.slice(0, 1), "/users/1": { id: 1 } },
      requests: ["/users", "/users/1?page=0"],
    },
  ),
  blog(
    "nor over its own selector",
    {
      name: "user",
      endpoint: { path: "users/{resources.users.id}", data_selector: "tags" },
    },
    {
      routes: { "/users": users.slice(0, 1), "/users/1": { id: 1, tags: [{ no: 1 }] } },
      records: { user: [{ no: 1 }] },
    },
  ),
  blog("a placeholder elsewhere in the path is no single entity", posts, {
    routes: { ...api, "/users/1/posts": { a: 1, items: postOf(1) } },
    records: { posts: allPosts },
  }),

  // selected, filters, order
  blog("a parent that is not selected is read and not stored", posts, {
    resources: [{ name: "users", selected: false }, posts],
    requests: asked,
    reports: { users: { status: "succeeded", records: 0, written: 0 }, posts: { records: 4 } },
    records: { posts: allPosts },
  }),
  blog("a parent whose write_disposition is skip, too", posts, {
    resources: [{ name: "users", write_disposition: "skip" }, posts],
    requests: asked,
    records: { posts: allPosts },
  }),
  blog("a child sees its parent's records after the steps", posts, {
    resources: [
      { name: "users", processing_steps: [{ filter: ({ id }: { id: number }) => id > 1 }] },
      posts,
    ],
    requests: ["/users", "/users/2/posts"],
  }),
  blog(
    "a child sees what the steps made of a record",
    { name: "posts", endpoint: "users/{resources.users.no}/posts" },
    {
      resources: [
        { name: "users", processing_steps: [{ map: ({ id }: { id: number }) => ({ no: id }) }] },
        { name: "posts", endpoint: "users/{resources.users.no}/posts" },
      ],
      requests: asked,
    },
  ),
  blog("a child sees its parent's records after the incremental filter", posts, {
    resources: [
      {
        name: "users",
        endpoint: { incremental: { cursor_path: "id", initial_value: 2, start_param: "from" } },
      },
      posts,
    ],
    requests: ["/users?from=2", "/users/2/posts"],
  }),
  blog(
    "an incremental child has one cursor for all parents, frozen for the run",
    {
      name: "posts",
      endpoint: {
        path: "users/{resources.users.id}/posts",
        incremental: { cursor_path: "no", start_param: "after", initial_value: 0 },
      },
    },
    {
      routes: { "/users": users, "/users/1/posts": [{ no: 7 }], "/users/2/posts": [{ no: 5 }] },
      requests: ["/users", "/users/1/posts?after=0", "/users/2/posts?after=0"],
      reports: { posts: { records: 2, cursor: { before: null, after: 7 } } },
      next: [{ requests: ["/users", "/users/1/posts?after=7", "/users/2/posts?after=7"] }],
    },
  ),
  blog(
    "row_order does not end a child's other parents",
    {
      name: "posts",
      endpoint: {
        path: "users/{resources.users.id}/posts",
        incremental: {
          cursor_path: "no",
          start_param: "after",
          initial_value: 6,
          row_order: "desc",
        },
      },
    },
    {
      routes: {
        "/users": users,
        "/users/1/posts": [{ no: 7 }, { no: 5 }],
        "/users/2/posts": [{ no: 8 }],
      },
      records: { posts: [{ no: 7 }, { no: 8 }] },
    },
  ),
  blog("a child alone is read with its parent", posts, {
    args: ["--resource", "posts"],
    requests: asked,
    records: { posts: allPosts },
  }),
  blog("a child whose parent fails is skipped", posts, {
    routes: { ...api, "/users": reply(404) },
    requests: ["/users"],
    reports: { users: { status: "failed" }, posts: { status: "skipped" } },
  }),
  blog("a failing child leaves its parent's records", posts, {
    routes: { ...api, "/users/2/posts": reply(404) },
    reports: {
      users: { status: "succeeded" },
      posts: { status: "failed", error: { code: "extract.status" } },
    },
    records: { users, posts: postOf(1) },
  }),
  blog(
    "children merge by their key",
    { ...posts, primary_key: "id" },
    {
      routes: { ...api, "/users/2/posts": postOf(1) },
      records: { posts: postOf(1) },
    },
  ),
  blog(
    "parallelized is accepted",
    { ...posts, parallelized: true },
    { requests: asked, says: ["has no effect"] },
  ),
  blog("the real command reads children, too", posts, {
    spawned: true,
    requests: asked,
    records: { posts: allPosts },
  }),
];

const problems = (
  name: string,
  resources: unknown[],
  wanted: NonNullable<Run["problems"]>,
): Row => ({
  name,
  resources,
  problems: wanted,
});
const resolve = (resource: string, field = "id") => ({ type: "resolve", resource, field });

const wrong: Row[] = [
  problems(
    "an unknown parent is a config error",
    [{ name: "a", endpoint: "x/{resources.usres.id}" }, "users"],
    [["resources[0].endpoint", 'no resource "usres"', "users"]],
  ),
  problems(
    "two parents are a config error",
    ["a", "b", { name: "c", endpoint: "x/{resources.a.id}/{resources.b.id}" }],
    [["resources[2].endpoint", "second parent"]],
  ),
  problems(
    "a resource that is its own parent",
    [{ name: "a", endpoint: "x/{resources.a.id}" }],
    [["resources[0].endpoint", "child of itself"]],
  ),
  problems(
    "a circle of two",
    [
      { name: "a", endpoint: "x/{resources.b.id}" },
      { name: "b", endpoint: "x/{resources.a.id}" },
    ],
    [
      ["resources[0].endpoint", "child of itself"],
      ["resources[1].endpoint", "child of itself"],
    ],
  ),
  problems(
    "a resolve that the path does not name",
    ["a", { name: "b", endpoint: { params: { x: resolve("a") } } }],
    [["resources[1].endpoint.params.x", "the path does not name {x}", "put {x} into the path"]],
  ),
  problems(
    "a resolve without a field",
    [
      "a",
      { name: "b", endpoint: { path: "{x}", params: { x: { type: "resolve", resource: "a" } } } },
    ],
    [["resources[1].endpoint.params.x.field", "missing"]],
  ),
  problems(
    "a parameter of an unknown type",
    [{ name: "b", endpoint: { params: { x: { type: "resolv", resource: "a", field: "id" } } } }],
    [["resources[0].endpoint.params.x.type", "resolve"]],
  ),
  problems(
    "a placeholder without a field",
    ["a", { name: "b", endpoint: "x/{resources.a}" }],
    [["resources[1].endpoint", "names no field"]],
  ),
  problems(
    "a name in the path that params have not",
    [{ name: "b", endpoint: "x/{y}" }],
    [["resources[0].endpoint", 'params has no "y"']],
  ),
];

conformance("parents and children", [...rows, ...wrong]);
