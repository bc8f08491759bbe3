import { describe, expect, it } from "vitest";
import { data, numbers, shop, source, texts } from "./support.ts";

// A window moves on, or the config is refused; a border belongs to exactly one of two windows.

interface Row {
  id: number;
  at: number | string;
}

/** How an API understands `from` and `to`. */
const apis = {
  "an API with both ends": (at: Row["at"], from: Row["at"], to: Row["at"]) =>
    at >= from && at <= to,
  "an API without the end": (at: Row["at"], from: Row["at"], to: Row["at"]) =>
    at >= from && at < to,
  "an API that pays no heed": () => true,
};

interface Wanted {
  rows: Row[];
  incremental: object;
  more?: object;
  keeps?: (at: Row["at"], from: Row["at"], to: Row["at"]) => boolean;
}

/** A backfill, at an API that ends by itself after many more requests than are needed. */
async function backfill({ rows, incremental, more = {}, keeps }: Wanted) {
  const window = { cursor_path: "at", start_param: "from", end_param: "to", ...incremental };
  let asked = 0;
  return shop(
    source([{ name: "rows", endpoint: { incremental: window }, ...more }]),
    ({ query }) => {
      asked += 1;
      if (asked > 500) return { status: 418 };
      const like = (text: string | null) =>
        typeof rows[0]?.at === "number" ? Number(text) : String(text);
      const [from, to] = [like(query.get("from")), like(query.get("to"))];
      return data(rows.filter(({ at }) => (keeps ?? apis["an API with both ends"])(at, from, to)));
    },
  );
}

const rows = numbers(1, 12).map((id): Row => ({ id, at: id }));
const range = { initial_value: 1, end_value: 10, step: 3 };

describe.each(Object.entries(apis))("at %s", (_, keeps) => {
  it.each([
    ["closed", "open", numbers(1, 9)],
    ["open", "open", numbers(2, 9)],
    ["closed", "closed", numbers(1, 10)],
    ["open", "closed", numbers(2, 10)],
  ])("a range whose start is %s and whose end is %s has each row once", async (start, end, ids) => {
    // What the API leaves out at the end of the whole range can not be had.
    const shown = keeps(10, 1, 10) ? ids : ids.filter((id) => id !== 10);
    const incremental = { ...range, range_start: start, range_end: end };
    for (const more of [{}, { primary_key: null, write_disposition: "append" }]) {
      const { run, column } = await backfill({ rows, incremental, more, keeps });
      expect((await run()).of("rows").status).toBe("succeeded");
      expect(await column("rows")).toEqual(texts(shown));
    }
  });
});

it("a backfill downwards has each row once", async () => {
  const { run, column } = await backfill({
    rows,
    incremental: {
      initial_value: 10,
      end_value: 1,
      step: 3,
      last_value_func: "min",
      range_start: "open",
    },
    keeps: (at, from, to) => at <= from && at >= to,
  });
  expect((await run()).of("rows").status).toBe("succeeded");
  expect(await column("rows")).toEqual(texts(numbers(2, 9)));
});

const days = numbers(1, 9).map((id): Row => ({ id, at: `2026-01-0${id}` }));
const minutes = numbers(1, 9).map((id): Row => ({ id, at: `2026-01-01T00:0${id}Z` }));
const large = numbers(0, 8).map((id): Row => ({ id, at: 2 ** 52 + id * 4 }));

describe("a step that can not be seen in the cursor's own values", () => {
  it.each([
    ["half a day, of dates", days, "2026-01-01", "2026-01-08", 0.5],
    ["a tenth of a day, of dates", days, "2026-01-01", "2026-01-08", 0.1],
    ["half a minute, of times in minutes", minutes, "2026-01-01T00:01Z", "2026-01-01T00:08Z", 29],
    [
      "half a second, of times in seconds",
      days.map(({ id, at }) => ({ id, at: `${at}T00:00:00Z` })),
      "2026-01-01T00:00:00Z",
      "2026-01-01T00:00:10Z",
      0.4,
    ],
    ["less than a large number's digits", large, 2 ** 52, 2 ** 52 + 30, 0.25],
    ["less than a fraction's digits", [{ id: 1, at: 0.1 }], 0.1, 0.1 + 1e-16, 1e-17],
  ])("moves on or is refused: %s", async (_, rows, initial_value, end_value, step) => {
    const { run, column, requests } = await backfill({
      rows,
      incremental: { initial_value, end_value, step },
    });
    const { exit, document, of } = await run();
    expect(requests.length).toBeLessThan(200);
    if (exit === 2) {
      expect(JSON.stringify(document.problems)).toContain("step");
      return;
    }
    expect(of("rows").status).toBe("succeeded");
    const inRange = rows.filter(({ at }) => at >= initial_value && at < end_value);
    expect(await column("rows")).toEqual(texts(inRange.map(({ id }) => id)));
  });

  it.each([0, -1])("is refused where it leads nowhere: %i", async (step) => {
    const { run, requests } = await backfill({
      rows,
      incremental: { initial_value: 1, end_value: 10, step },
    });
    expect((await run()).exit).toBe(2);
    expect(requests).toHaveLength(0);
  });
});

describe("windows of days", () => {
  it("have each row once, and ask for each border once as a start", async () => {
    const { run, column, requests } = await backfill({
      rows: days,
      incremental: { initial_value: "2026-01-01", end_value: "2026-01-09", step: 2 },
    });
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(texts(numbers(1, 8)));
    expect(requests.map(({ query }) => query.get("from"))).toEqual([
      "2026-01-01",
      "2026-01-03",
      "2026-01-05",
      "2026-01-07",
    ]);
  });

  it("of a child are read for each parent, with an open start, too", async () => {
    const incremental = {
      cursor_path: "at",
      start_param: "from",
      end_param: "to",
      ...range,
      range_start: "open",
    };
    const child = { name: "parts", endpoint: { path: "rows/{resources.rows.id}", incremental } };
    const { run, column } = await shop(source(["rows", child]), ({ path, query }) => {
      const [, , id] = path.split("/");
      if (!id) return data([{ id: 1 }, { id: 2 }]);
      const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
      const parts = numbers(1, 12).map((at) => ({ id: Number(id) * 100 + at, at }));
      return data(parts.filter(({ at }) => at >= from && at <= to));
    });
    expect((await run()).of("parts").status).toBe("succeeded");
    const ids = numbers(2, 9).flatMap((at) => [100 + at, 200 + at]);
    expect(await column("parts")).toEqual(texts(ids));
  });
});
