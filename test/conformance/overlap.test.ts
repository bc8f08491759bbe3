import type { Handler } from "../support/api.ts";
import { byParams, recordsWithIds, serveSlices } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// If the limit is 10 or more, each page begins with the last rows of the page before (P14).

const overlapRow = (name: string, limit: number, route: Handler, outcome: Partial<Row>): Row => ({
  name,
  routes: { "/rows": route },
  resource: { primary_key: "id", columns: { id: { data_type: "bigint" } } },
  endpoint: { paginator: { type: "offset", limit } },
  ...outcome,
});

const requestsAt = (limit: number, ...offsets: number[]) =>
  offsets.map((offset) => `/rows?limit=${limit}&offset=${offset}`);

/** Rows that change once `when` has been asked for. */
function changeRows(rows: object[], when: number, change: (rows: object[]) => void): Handler {
  let changed = false;
  return (request, response) => {
    const { start } = byParams(request);
    const answer = serveSlices([...rows])(request, response);
    if (!changed && start >= when) {
      changed = true;
      change(rows);
    }
    return answer;
  };
}

conformance("better than dlt: overlapping offsets", [
  overlapRow("a limit below 10 has no overlap", 9, serveSlices(recordsWithIds(1, 20)), {
    requests: requestsAt(9, 0, 9, 18, 20),
    records: recordsWithIds(1, 20),
  }),
  overlapRow(
    "a limit of 10 overlaps by 2, and by 1 at the end",
    10,
    serveSlices(recordsWithIds(1, 25)),
    {
      requests: requestsAt(10, 0, 8, 16, 24),
      records: recordsWithIds(1, 25),
      report: { records: 25, written: 25 },
    },
  ),
  overlapRow(
    "a limit of 100 overlaps by 5",
    100,
    serveSlices(recordsWithIds(1, 250), { more: () => ({ total: 250 }) }),
    {
      requests: requestsAt(100, 0, 95, 190),
      records: recordsWithIds(1, 250),
    },
  ),
  overlapRow("overlap: 0 switches the overlap off", 10, serveSlices(recordsWithIds(1, 25)), {
    endpoint: { paginator: { type: "offset", limit: 10, overlap: 0 } },
    requests: requestsAt(10, 0, 10, 20, 25),
    records: recordsWithIds(1, 25),
  }),
  overlapRow(
    "the option overlap sets the number of rows",
    10,
    serveSlices(recordsWithIds(1, 20), { more: () => ({ total: 20 }) }),
    {
      endpoint: { paginator: { type: "offset", limit: 10, overlap: 1 } },
      requests: requestsAt(10, 0, 9, 18),
      records: recordsWithIds(1, 20),
    },
  ),
  overlapRow(
    "rows without a key are recognised by their content, and stored once",
    10,
    serveSlices(recordsWithIds(1, 25)),
    {
      resource: { write_disposition: "append" },
      records: recordsWithIds(1, 25),
    },
  ),
  overlapRow(
    "a server that caps its pages below the limit loses no row",
    50,
    serveSlices(recordsWithIds(1, 40), { cap: 15 }),
    {
      records: recordsWithIds(1, 40),
    },
  ),
  overlapRow(
    "no row is lost when other rows go meanwhile",
    10,
    changeRows(recordsWithIds(1, 30), 0, (rows) => rows.splice(0, 5)),
    { records: recordsWithIds(1, 30) },
  ),
  overlapRow(
    "rows that come meanwhile are not stored twice",
    10,
    changeRows(recordsWithIds(1, 30), 0, (rows) => rows.unshift({ id: 100 })),
    { records: recordsWithIds(1, 30) },
  ),
  overlapRow(
    "a server that rounds offsets to whole pages is read without an overlap",
    10,
    serveSlices(recordsWithIds(1, 30), {
      at: ({ query }) => ({ start: Math.floor(Number(query.get("offset")) / 10) * 10, size: 10 }),
    }),
    { records: recordsWithIds(1, 30) },
  ),
]);
