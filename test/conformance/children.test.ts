import { answerInTurn, replyWith, serveSlices } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row, Run } from "./rows.ts";

const users = [
  { id: 1, name: "ada" },
  { id: 2, name: "bob" },
];
const postOf = (user: number) => [{ id: `${user}a` }, { id: `${user}b` }];
const api = { "/users": users, "/users/1/posts": postOf(1), "/users/2/posts": postOf(2) };
const allPosts = [...postOf(1), ...postOf(2)];
const requestsOfTwoUsers = ["/users", "/users/1/posts", "/users/2/posts"];

const posts = { name: "posts", endpoint: { path: "users/{resources.users.id}/posts" } };

const blogRow = (name: string, child: object | object[], outcome: Partial<Row> = {}): Row => ({
  name,
  routes: api,
  resources: ["users", ...[child].flat()],
  ...outcome,
});

/** A child of another shape, whose requests alone count. */
const requestRow = (
  name: string,
  endpoint: object,
  requests: NonNullable<Row["requests"]>,
  routes: object = {},
): Row =>
  blogRow(
    name,
    { name: "posts", endpoint },
    {
      routes: { ...api, "/posts": [], "POST /posts": [], ...routes },
      requests: ["/users", ...requests],
    },
  );

const rows: Row[] = [
  blogRow("a child is read for each record of its parent", posts, {
    requests: requestsOfTwoUsers,
    records: { users, posts: allPosts },
    reports: { users: { records: 2 }, posts: { records: 4, requests: 2 } },
  }),
  blogRow("the order in the config does not matter", posts, {
    resources: [posts, "users"],
    requests: requestsOfTwoUsers,
  }),
  blogRow(
    "a parameter with type resolve fills the path",
    {
      name: "posts",
      endpoint: {
        path: "users/{user_id}/posts",
        params: { user_id: { type: "resolve", resource: "users", field: "id" } },
      },
    },
    { requests: requestsOfTwoUsers, records: { posts: allPosts } },
  ),
  blogRow(
    "several fields of one parent may be used",
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
  blogRow(
    "a field may be a path into the record",
    { name: "posts", endpoint: "users/{resources.users.profile.no}/posts" },
    {
      routes: { ...api, "/users": [{ profile: { no: 1 } }] },
      requests: ["/users", "/users/1/posts"],
    },
  ),
  requestRow(
    "better than dlt: a parent's field may be a parameter",
    { params: { user: "{resources.users.id}", n: 1 } },
    ["/posts?n=1&user=1", "/posts?n=1&user=2"],
  ),
  requestRow(
    "a parent's field may be a part of a parameter",
    { params: { q: "by:{resources.users.name}" } },
    ["/posts?q=by:ada", "/posts?q=by:bob"],
  ),
  requestRow(
    "a parent's field may be in a header's name and value",
    { headers: { "x-{resources.users.name}": "{resources.users.id}" } },
    [
      ["/posts", { headers: { "x-ada": "1" } }],
      ["/posts", { headers: { "x-bob": "2" } }],
    ],
  ),
  requestRow(
    "a parent's field keeps its type in the JSON body",
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
  requestRow(
    "a parent's field may be in a form",
    { method: "POST", data: { user: "{resources.users.id}" } },
    [
      ["POST /posts", { form: { user: "1" } }],
      ["POST /posts", { form: { user: "2" } }],
    ],
  ),
  requestRow(
    "a parent's field may be in a body that is sent as a string",
    { method: "POST", data: "<user>{resources.users.id}</user>" },
    [
      ["POST /posts", { body: "<user>1</user>" }],
      ["POST /posts", { body: "<user>2</user>" }],
    ],
  ),
  requestRow(
    "doubled braces are sent as braces",
    { method: "POST", data: '{{"user":{resources.users.id}}}' },
    [
      ["POST /posts", { body: '{"user":1}' }],
      ["POST /posts", { body: '{"user":2}' }],
    ],
  ),
  requestRow(
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
  ].map(([character, id, sent]) =>
    blogRow(`better than dlt: ${character} in a parent's value is encoded in the path`, posts, {
      routes: { "/users": [{ id }], [`/users/${sent}/posts`]: postOf(1) },
      requests: ["/users", `/users/${sent}/posts`],
    }),
  ),
  blogRow("large ids are exact in the path", posts, {
    routes: {
      "/users": () => ({
        body: '[{"id":9007199254740993}]',
        headers: { "content-type": "application/json" },
      }),
      "/users/9007199254740993/posts": postOf(1),
    },
    requests: ["/users", "/users/9007199254740993/posts"],
  }),
  blogRow("a child without parent records makes no request", posts, {
    routes: { "/users": [] },
    requests: ["/users"],
    records: { users: [], posts: [] },
  }),
  blogRow(
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
        "/users/1/posts": serveSlices(postOf(1), { more: () => ({ total: 2 }) }),
        "/users/2/posts": serveSlices(postOf(2), { more: () => ({ total: 2 }) }),
      },
      requests: [
        "/users",
        ...[1, 2].flatMap((id) => [0, 1].map((n) => `/users/${id}/posts?limit=1&offset=${n}`)),
      ],
      records: { posts: allPosts },
    },
  ),
  blogRow("a child is read for the records of all parent pages", posts, {
    routes: {
      ...api,
      "/users": answerInTurn({ data: users.slice(0, 1), next: "?p=2" }, { data: users.slice(1) }),
    },
    requests: ["/users", "/users?p=2", "/users/1/posts", "/users/2/posts"],
    records: { posts: allPosts },
  }),
  blogRow(
    "children may have children over several levels",
    [posts, { name: "likes", endpoint: "posts/{resources.posts.id}/likes" }],
    {
      routes: {
        ...api,
        "/users": users.slice(0, 1),
        "/posts/1a/likes": [{ n: 1 }],
        "/posts/1b/likes": [{ n: 2 }],
      },
      requests: ["/users", "/users/1/posts", "/posts/1a/likes", "/posts/1b/likes"],
      records: { likes: [{ n: 1 }, { n: 2 }] },
    },
  ),
  blogRow(
    "a parent may have two children",
    [posts, { name: "tags", endpoint: "users/{resources.users.id}/tags" }],
    {
      routes: { ...api, "/users/1/tags": [{ t: 1 }], "/users/2/tags": [] },
      records: { posts: allPosts, tags: [{ t: 1 }] },
    },
  ),

  // include_from_parent
  blogRow(
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
  blogRow(
    "include_from_parent copies nested values and null",
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
  blogRow(
    "include_from_parent of a missing field is an error where on_parent_value_missing is raise",
    { ...posts, include_from_parent: ["mail"], on_parent_value_missing: "raise" },
    {
      fails: ["extract.parent_field", "mail"],
      reports: { users: { status: "succeeded" }, posts: { status: "failed" } },
    },
  ),
  blogRow(
    "better than dlt: include_from_parent of a missing field sets the parent record aside",
    { ...posts, include_from_parent: ["mail"] },
    {
      requests: ["/users"],
      reports: { posts: { status: "succeeded", parents_set_aside: 2, quarantined: 0 } },
      records: { users, posts: [] },
    },
  ),
  {
    name: "include_from_parent without a parent is a config error",
    resource: { include_from_parent: ["id"] },
    problems: [["resources[0].include_from_parent", "no parent"]],
  },

  // Values that are missing
  blogRow(
    "with on_parent_value_missing raise a parent record without the field is an error that names it",
    { ...posts, on_parent_value_missing: "raise" },
    {
      routes: { ...api, "/users": [{ no: 1 }] },
      fails: ["extract.parent_field", 'users has nothing at "id"'],
      reports: {},
    },
  ),
  blogRow(
    "better than dlt: with on_parent_value_missing raise null is an error, never /None/",
    { ...posts, on_parent_value_missing: "raise" },
    {
      routes: { ...api, "/users": [{ id: null }] },
      requests: ["/users"],
      fails: ["extract.parent_field", "null"],
    },
  ),
  blogRow(
    "better than dlt: a parent record without a usable value is set aside, and the others are read",
    posts,
    {
      routes: {
        ...api,
        "/users": [{ id: 1 }, { id: null }, {}, { id: "" }, { id: ".." }, { id: { a: 1 } }],
      },
      requests: ["/users", "/users/1/posts"],
      reports: { posts: { status: "succeeded", parents_set_aside: 5, quarantined: 0 } },
      records: { posts: postOf(1) },
    },
  ),
  blogRow(
    "better than dlt: on_parent_value_missing skip leaves out parent records without a value",
    { ...posts, on_parent_value_missing: "skip" },
    {
      routes: { ...api, "/users": [{ id: 1 }, { id: null }, {}] },
      requests: ["/users", "/users/1/posts"],
      records: { posts: postOf(1) },
    },
  ),
  blogRow(
    "with on_parent_value_missing raise a parent's value that is an object is an error",
    { ...posts, on_parent_value_missing: "raise" },
    {
      routes: { ...api, "/users": [{ id: { a: 1 } }] },
      fails: ["extract.parent_value", "an object"],
    },
  ),

  // Single entities
  blogRow(
    "with a placeholder at the end of the path the answer is the record",
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
  blogRow(
    "with resolve at the end of the path the answer is the record",
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
  blogRow(
    "a single entity is one page in spite of the client's paginator",
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
  blogRow(
    "a single entity is paged by its own paginator",
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
  blogRow(
    "a single entity uses its own selector",
    {
      name: "user",
      endpoint: { path: "users/{resources.users.id}", data_selector: "tags" },
    },
    {
      routes: { "/users": users.slice(0, 1), "/users/1": { id: 1, tags: [{ no: 1 }] } },
      records: { user: [{ no: 1 }] },
    },
  ),
  blogRow("a placeholder in the middle of the path does not make a single entity", posts, {
    routes: { ...api, "/users/1/posts": { a: 1, items: postOf(1) } },
    records: { posts: allPosts },
  }),

  // selected, filters, order
  blogRow("a parent that is not selected is read and not stored", posts, {
    resources: [{ name: "users", selected: false }, posts],
    requests: requestsOfTwoUsers,
    reports: { users: { status: "succeeded", records: 0, written: 0 }, posts: { records: 4 } },
    records: { posts: allPosts },
  }),
  blogRow("a parent with the write_disposition skip is read and not stored", posts, {
    resources: [{ name: "users", write_disposition: "skip" }, posts],
    requests: requestsOfTwoUsers,
    records: { posts: allPosts },
  }),
  blogRow("a child sees its parent's records after the steps", posts, {
    resources: [
      { name: "users", processing_steps: [{ filter: ({ id }: { id: number }) => id > 1 }] },
      posts,
    ],
    requests: ["/users", "/users/2/posts"],
  }),
  blogRow(
    "a child sees what the steps made of a record",
    { name: "posts", endpoint: "users/{resources.users.no}/posts" },
    {
      resources: [
        { name: "users", processing_steps: [{ map: ({ id }: { id: number }) => ({ no: id }) }] },
        { name: "posts", endpoint: "users/{resources.users.no}/posts" },
      ],
      requests: requestsOfTwoUsers,
    },
  ),
  blogRow("a child sees its parent's records after the incremental filter", posts, {
    resources: [
      {
        name: "users",
        endpoint: { incremental: { cursor_path: "id", initial_value: 2, start_param: "from" } },
      },
      posts,
    ],
    requests: ["/users?from=2", "/users/2/posts"],
  }),
  blogRow(
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
  blogRow(
    "row_order ends the pages of one parent record only",
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
  blogRow("a child that is run alone is read with its parent", posts, {
    args: ["--resource", "posts"],
    requests: requestsOfTwoUsers,
    records: { posts: allPosts },
  }),
  blogRow("a child whose parent fails is skipped", posts, {
    routes: { ...api, "/users": replyWith(404) },
    requests: ["/users"],
    reports: { users: { status: "failed" }, posts: { status: "skipped" } },
  }),
  blogRow("a failing child does not affect its parent's records", posts, {
    routes: { ...api, "/users/2/posts": replyWith(403) },
    reports: {
      users: { status: "succeeded" },
      posts: { status: "failed", error: { code: "extract.status" } },
    },
    records: { users, posts: postOf(1) },
  }),
  ...[404, 410].map((status) =>
    blogRow(
      `better than dlt: a parent that answers ${status} twice is gone and has no rows`,
      posts,
      {
        routes: { ...api, "/users/2/posts": replyWith(status) },
        requests: ["/users", "/users/1/posts", "/users/2/posts", "/users/2/posts"],
        reports: { posts: { status: "succeeded", parents_set_aside: 0 } },
        records: { users, posts: postOf(1) },
      },
    ),
  ),
  blogRow(
    "better than dlt: with on_parent_error skip a parent whose request fails is set aside",
    { ...posts, on_parent_error: "skip" },
    {
      routes: { ...api, "/users/2/posts": replyWith(403) },
      reports: { posts: { status: "succeeded", parents_set_aside: 1 } },
      records: { users, posts: postOf(1) },
    },
  ),
  blogRow(
    "children merge by their key",
    { ...posts, primary_key: "id" },
    {
      routes: { ...api, "/users/2/posts": postOf(1) },
      records: { posts: postOf(1) },
    },
  ),
  blogRow(
    "parallelized is accepted",
    { ...posts, parallelized: true },
    { requests: requestsOfTwoUsers, says: ["has no effect"] },
  ),
  blogRow("the real command reads children as well", posts, {
    spawned: true,
    requests: requestsOfTwoUsers,
    records: { posts: allPosts },
  }),
];

const problemRow = (
  name: string,
  resources: unknown[],
  expected: NonNullable<Run["problems"]>,
): Row => ({
  name,
  resources,
  problems: expected,
});
const resolveParam = (resource: string, field = "id") => ({ type: "resolve", resource, field });

const wrong: Row[] = [
  problemRow(
    "an unknown parent is a config error",
    [{ name: "a", endpoint: "x/{resources.usres.id}" }, "users"],
    [["resources[0].endpoint", 'no resource "usres"', "users"]],
  ),
  problemRow(
    "two parents are a config error",
    ["a", "b", { name: "c", endpoint: "x/{resources.a.id}/{resources.b.id}" }],
    [["resources[2].endpoint", "second parent"]],
  ),
  problemRow(
    "a resource that is its own parent is a config error",
    [{ name: "a", endpoint: "x/{resources.a.id}" }],
    [["resources[0].endpoint", "child of itself"]],
  ),
  problemRow(
    "two resources that are each other's parents are a config error",
    [
      { name: "a", endpoint: "x/{resources.b.id}" },
      { name: "b", endpoint: "x/{resources.a.id}" },
    ],
    [
      ["resources[0].endpoint", "child of itself"],
      ["resources[1].endpoint", "child of itself"],
    ],
  ),
  problemRow(
    "a resolve parameter that the path does not name is a config error",
    ["a", { name: "b", endpoint: { params: { x: resolveParam("a") } } }],
    [["resources[1].endpoint.params.x", "the path does not name {x}", "put {x} into the path"]],
  ),
  problemRow(
    "a resolve parameter without a field is a config error",
    [
      "a",
      { name: "b", endpoint: { path: "{x}", params: { x: { type: "resolve", resource: "a" } } } },
    ],
    [["resources[1].endpoint.params.x.field", "missing"]],
  ),
  problemRow(
    "a parameter of an unknown type is a config error",
    [{ name: "b", endpoint: { params: { x: { type: "resolv", resource: "a", field: "id" } } } }],
    [["resources[0].endpoint.params.x.type", "resolve"]],
  ),
  problemRow(
    "a placeholder without a field is a config error",
    ["a", { name: "b", endpoint: "x/{resources.a}" }],
    [["resources[1].endpoint", "names no field"]],
  ),
  problemRow(
    "a name in the path that is missing from params is a config error",
    [{ name: "b", endpoint: "x/{y}" }],
    [["resources[0].endpoint", 'params has no "y"']],
  ),
];

conformance("parents and children", [...rows, ...wrong]);
