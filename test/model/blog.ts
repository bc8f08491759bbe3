import type { ApiRequest, Reply } from "../support/api.ts";
import { data, texts } from "./support.ts";

export interface Row {
  id: unknown;
  [field: string]: unknown;
}

/**
 * An API of users (with `at`, by which they can be asked for), their posts, and the comments of those.
 * What it holds can be changed at any time; what `down` fits answers 500.
 */
export function blog() {
  const ids = [1, 2, 3];
  const world = {
    users: ids.map((id): Row => ({ id, at: id })),
    posts: ids.flatMap((user): Row[] => [1, 2].map((n) => ({ id: user * 10 + n, user }))),
    comments: ids.flatMap((user): Row[] =>
      [1, 2].map((n) => ({ id: (user * 10 + n) * 10 + 1, post: user * 10 + n })),
    ),
    down: undefined as RegExp | undefined,
    /** A change of a user, which also gives it one more post with a comment. */
    add(user: number, at: number) {
      const id = user * 10 + world.posts.filter((post) => post.user === user).length + 1;
      world.posts.push({ id, user });
      world.comments.push({ id: id * 10 + 1, post: id });
      const row = world.users.find((one) => one.id === user);
      if (row) row.at = at;
      else world.users.push({ id: user, at });
    },
    behave({ path, query }: ApiRequest): Reply {
      if (world.down?.test(path)) return { status: 500 };
      const [, kind, id, below] = decodeURIComponent(path).split("/");
      if (below) {
        const rows = below === "posts" ? world.posts : world.comments;
        return data(rows.filter((row) => String(row[kind === "users" ? "user" : "post"]) === id));
      }
      const since = Number(query.get("since") ?? Number.NEGATIVE_INFINITY);
      const until = Number(query.get("until") ?? Number.POSITIVE_INFINITY);
      return data(world.users.filter(({ at }) => Number(at) >= since && Number(at) <= until));
    },
  };
  return world;
}

export const users = (more: object = {}, incremental: object = {}) => ({
  name: "users",
  endpoint: { incremental: { cursor_path: "at", start_param: "since", ...incremental } },
  ...more,
});
export const posts = (more: object = {}, endpoint: object = {}) => ({
  name: "posts",
  endpoint: { path: "users/{resources.users.id}/posts", ...endpoint },
  ...more,
});
export const comments = (more: object = {}) => ({
  name: "comments",
  endpoint: { path: "posts/{resources.posts.id}/comments" },
  ...more,
});

/** The ids that a table has to hold, of what an API holds. */
export const idsOf = (rows: readonly Row[]): string[] => texts(rows.map(({ id }) => String(id)));
