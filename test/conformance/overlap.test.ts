import type { Handler } from "../support/api.ts";
import { byParams, ids, slices } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// From a limit of 10 on, each page begins with the last rows of the one before it (P14).

const read = (name: string, limit: number, route: Handler, shows: Partial<Row>): Row => ({
  name,
  routes: { "/rows": route },
  resource: { primary_key: "id", columns: { id: { data_type: "bigint" } } },
  endpoint: { paginator: { type: "offset", limit } },
  ...shows,
});

const at = (limit: number, ...offsets: number[]) =>
  offsets.map((offset) => `/rows?limit=${limit}&offset=${offset}`);

/** Rows that change once `when` has been asked for. */
function changing(rows: object[], when: number, change: (rows: object[]) => void): Handler {
  let changed = false;
  return (request, response) => {
    const { start } = byParams(request);
    const answer = slices([...rows])(request, response);
    if (!changed && start >= when) {
      changed = true;
      change(rows);
    }
    return answer;
  };
}

conformance("better than dlt: overlapping offsets", [
  read("below a limit of 10 there is none", 9, slices(ids(1, 20)), {
    requests: at(9, 0, 9, 18, 20),
    records: ids(1, 20),
  }),
  read("a limit of 10 overlaps by 2, and by 1 at the end", 10, slices(ids(1, 25)), {
    requests: at(10, 0, 8, 16, 24),
    records: ids(1, 25),
    report: { records: 25, written: 25 },
  }),
  read("a limit of 100 overlaps by 5", 100, slices(ids(1, 250), { more: () => ({ total: 250 }) }), {
    requests: at(100, 0, 95, 190),
    records: ids(1, 250),
  }),
  read("overlap: 0 switches it off", 10, slices(ids(1, 25)), {
    endpoint: { paginator: { type: "offset", limit: 10, overlap: 0 } },
    requests: at(10, 0, 10, 20, 25),
    records: ids(1, 25),
  }),
  read("overlap sets it", 10, slices(ids(1, 20), { more: () => ({ total: 20 }) }), {
    endpoint: { paginator: { type: "offset", limit: 10, overlap: 1 } },
    requests: at(10, 0, 9, 18),
    records: ids(1, 20),
  }),
  read("rows without a key are known by their content, and stored once", 10, slices(ids(1, 25)), {
    resource: { write_disposition: "append" },
    records: ids(1, 25),
  }),
  read(
    "a server that caps its pages below the limit loses no row",
    50,
    slices(ids(1, 40), { cap: 15 }),
    {
      records: ids(1, 40),
    },
  ),
  read(
    "rows that go meanwhile take no other with them",
    10,
    changing(ids(1, 30), 0, (rows) => rows.splice(0, 5)),
    { records: ids(1, 30) },
  ),
  read(
    "rows that come meanwhile are not stored twice",
    10,
    changing(ids(1, 30), 0, (rows) => rows.unshift({ id: 100 })),
    { records: ids(1, 30) },
  ),
  read(
    "a server that rounds offsets to whole pages is read without",
    10,
    slices(ids(1, 30), {
      at: ({ query }) => ({ start: Math.floor(Number(query.get("offset")) / 10) * 10, size: 10 }),
    }),
    { records: ids(1, 30) },
  ),
]);
