import type { ApiRequest, Handler, Reply } from "../support/api.ts";

/*
 * The APIs of the conformance rows are data: the answer of each path. `$api` in an answer stands for
 * the address of the API.
 */

/**
 * Answers by `[METHOD ]path[?name=value…]`. If several routes match a request, the one with the most
 * parameters is used. An answer is a JSON body, or a function that replies.
 */
export type Routes = Record<string, unknown>;

export function serveRoutes(routes: Routes): Handler {
  const table = Object.entries(routes)
    .map(([route, answer]) => ({ ...parseLine(route, ""), answer }))
    .sort((a, b) => b.query.length - a.query.length);
  return async (request, response) => {
    const route = table.find(
      ({ method, path, query }) =>
        (method === "" || method === request.method) &&
        path === request.path &&
        query.every(([name, value]) => request.query.getAll(name).includes(value)),
    );
    const answer: unknown = route ? route.answer : replyWith(404, { error: "no such route" });
    const replied =
      typeof answer === "function" ? await answer(request, response) : { body: answer };
    if (replied === undefined || replied.body instanceof Uint8Array) return replied;
    const address = `http://${request.headers.host}`;
    return JSON.parse(JSON.stringify(replied).replaceAll("$api", address)) as Reply;
  };
}

/** Parses a line like `POST /rows?page=2`. */
export function parseLine(line: string, defaultMethod = "GET") {
  const [, method = defaultMethod, target = "/"] = /^(?:([A-Z]+) )?(.*)$/.exec(line) ?? [];
  const { pathname, searchParams } = new URL(target, "http://api");
  return { method, path: pathname, query: [...searchParams] };
}

export const replyWith =
  (status: number, body?: unknown, headers: Record<string, string> = {}) =>
  (): Reply => ({ status, body, headers });

/** Replies with a body and headers; a string is sent as it is. */
export const withHeaders = (headers: Record<string, string>, body: unknown) =>
  replyWith(200, body, headers);

/** Gives one answer after the other, and then the last one again and again. */
export function answerInTurn(...answers: unknown[]): Handler {
  let turn = 0;
  return (request, response) => {
    const answer = answers[Math.min(turn++, answers.length - 1)];
    return typeof answer === "function" ? answer(request, response) : { body: answer };
  };
}

/** The records `{ id: first }` to `{ id: last }`. */
export const recordsWithIds = (first: number, last: number): { id: number }[] =>
  Array.from({ length: last - first + 1 }, (_, n) => ({ id: first + n }));

/** Answers with a slice of `rows`. `at` reads the start and the length from a request. */
export function serveSlices(
  rows: unknown[],
  {
    at = byParams,
    cap = Number.POSITIVE_INFINITY,
    more: otherMembers = () => ({}),
  }: {
    at?: (request: ApiRequest) => { start: number; size: number };
    /** The most rows that the server sends, whatever length is requested. */
    cap?: number;
    /** Members of the answer beside `data`. */
    more?: (start: number, end: number) => object;
  } = {},
): Handler {
  return (request) => {
    const { start, size } = at(request);
    const data = rows.slice(start, start + Math.min(size, cap));
    return { body: { data, ...otherMembers(start, start + data.length) } };
  };
}

export const byParams = ({ query }: ApiRequest) => ({
  start: Number(query.get("offset") ?? 0),
  size: Number(query.get("limit") ?? 100),
});

/** Reads start and length of numbered pages. */
export const byPage =
  (size: number, first = 0) =>
  ({ query }: ApiRequest) => ({
    start: (Number(query.get("page") ?? first) - first) * size,
    size,
  });
