import type { Handler, Reply, ApiRequest } from "../support/api.ts";

/*
 * The APIs of the conformance rows, as data: what a path answers. `$api` in an answer is the address
 * of the API itself.
 */

/**
 * Answers by `[METHOD ]path[?name=value…]`; of several that fit the longest counts. An answer is a
 * JSON body, or a function that replies.
 */
export type Routes = Record<string, unknown>;

export function serve(routes: Routes): Handler {
  const table = Object.entries(routes)
    .map(([route, answer]) => ({ ...parseLine(route, ""), answer }))
    .sort((a, b) => b.query.length - a.query.length);
  return async (request, response) => {
    const found = table.find(
      ({ method, path, query }) =>
        (method === "" || method === request.method) &&
        path === request.path &&
        query.every(([name, value]) => request.query.getAll(name).includes(value)),
    );
    const answer: unknown = found ? found.answer : reply(404, { error: "no such route" });
    const made = typeof answer === "function" ? await answer(request, response) : { body: answer };
    if (made === undefined || made.body instanceof Uint8Array) return made;
    const home = `http://${request.headers.host}`;
    return JSON.parse(JSON.stringify(made).replaceAll("$api", home)) as Reply;
  };
}

/** `POST /rows?page=2`, taken apart. */
export function parseLine(line: string, usual = "GET") {
  const [, method = usual, rest = "/"] = /^(?:([A-Z]+) )?(.*)$/.exec(line) ?? [];
  const { pathname, searchParams } = new URL(rest, "http://api");
  return { method, path: pathname, query: [...searchParams] };
}

export const reply =
  (status: number, body?: unknown, headers: Record<string, string> = {}) =>
  (): Reply => ({ status, body, headers });

/** A body with headers of its own; a text is sent as it is. */
export const withHeaders = (headers: Record<string, string>, body: unknown) =>
  reply(200, body, headers);

/** One answer after the other; the last one stays. */
export function inTurn(...answers: unknown[]): Handler {
  let turn = 0;
  return (request, response) => {
    const answer = answers[Math.min(turn++, answers.length - 1)];
    return typeof answer === "function" ? answer(request, response) : { body: answer };
  };
}

/** `{ id: 1 }` and so on. */
export const ids = (first: number, last: number): { id: number }[] =>
  Array.from({ length: last - first + 1 }, (_, n) => ({ id: first + n }));

/** An API that cuts `rows` as it is asked to. `at` finds the start and the length in a request. */
export function slices(
  rows: unknown[],
  {
    at = byParams,
    cap = Number.POSITIVE_INFINITY,
    more = () => ({}),
  }: {
    at?: (request: ApiRequest) => { start: number; size: number };
    /** The server sends no more than these, whatever is asked for. */
    cap?: number;
    /** What the answer has beside `data`. */
    more?: (start: number, end: number) => object;
  } = {},
): Handler {
  return (request) => {
    const { start, size } = at(request);
    const data = rows.slice(start, start + Math.min(size, cap));
    return { body: { data, ...more(start, start + data.length) } };
  };
}

export const byParams = ({ query }: ApiRequest) => ({
  start: Number(query.get("offset") ?? 0),
  size: Number(query.get("limit") ?? 100),
});

/** Numbered pages of `size`. */
export const byPage =
  (size: number, first = 0) =>
  ({ query }: ApiRequest) => ({
    start: (Number(query.get("page") ?? first) - first) * size,
    size,
  });
