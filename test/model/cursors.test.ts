import { describe, expect, it } from "vitest";
import { data, shop, source, texts } from "./support.ts";

// Cursors are compared as what they are, or refused and warned of; never as texts in silence.

interface Row {
  id: number;
  at: unknown;
}

/** An API that sends everything, whatever it is asked for. */
async function careless(rows: Row[], incremental: object = {}, more: object = {}) {
  return shop(
    source([
      {
        name: "rows",
        endpoint: { incremental: { cursor_path: "at", start_param: "since", ...incremental } },
        ...more,
      },
    ]),
    () => data(rows),
  );
}

const listed = (...values: unknown[]): Row[] => values.map((at, n) => ({ id: n + 1, at }));

/** Each in the order of time, and not in that of their texts. */
const times: [string, unknown[]][] = [
  [
    "dates of RFC 1123",
    [
      "Wed, 31 Dec 2025 10:00:00 GMT",
      "Thu, 01 Jan 2026 10:00:00 GMT",
      "Mon, 05 Jan 2026 10:00:00 GMT",
      "Tue, 03 Feb 2026 10:00:00 GMT",
      "Fri, 06 Feb 2026 10:00:00 GMT",
    ],
  ],
  [
    "dates of RFC 2822, with offsets",
    [
      "Wed, 31 Dec 2025 10:00:00 +0000",
      "Thu, 1 Jan 2026 01:00:00 +0200",
      "Thu, 1 Jan 2026 00:30:00 +0100",
      "Tue, 3 Feb 2026 10:00:00 -0500",
      "Fri, 6 Feb 2026 10:00:00 +0000",
    ],
  ],
  [
    "times with offsets",
    [
      "2026-01-01T10:00:00+02:00",
      "2026-01-01T09:00:00Z",
      "2026-01-01T08:30:00-01:00",
      "2026-01-01T12:30:00+02:00",
      "2026-01-01T06:00:00-05:00",
    ],
  ],
  [
    "times with and without a fraction",
    [
      "2026-01-01T10:00:00Z",
      "2026-01-01T10:00:00.250Z",
      "2026-01-01T10:00:00.5Z",
      "2026-01-01T10:00:01Z",
      "2026-01-01T10:00:01.000001Z",
    ],
  ],
  ["numbers that are texts", ["8", "9", "10", "11", "100"]],
  [
    "dates of a day, a month and a year",
    ["31.12.2025", "01.01.2026", "15.01.2026", "03.02.2026", "04.02.2026"],
  ],
  ["American dates", ["12/31/2025", "01/01/2026", "01/15/2026", "02/03/2026", "02/04/2026"]],
  [
    "times of a clock with am and pm",
    [
      "2026-01-01 09:00 AM",
      "2026-01-01 10:00 AM",
      "2026-01-01 01:00 PM",
      "2026-01-01 02:00 PM",
      "2026-01-02 01:00 AM",
    ],
  ],
  ["words about time", ["3 weeks ago", "12 days ago", "yesterday", "2 hours ago", "just now"]],
];

const understood = times.slice(0, 4);

describe("a cursor of", () => {
  it.each(understood)("%s moves with time, and no row is dropped", async (_, values) => {
    const rows = listed(...values.slice(0, 3));
    const { run, column } = await careless(rows);
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 3 });
    rows.push({ id: 4, at: values[3] });
    await run();
    rows.push({ id: 5, at: values[4] });
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(texts([1, 2, 3, 4, 5]));
  });

  it.each(times)("%s never drops rows without a word", async (_, values) => {
    const rows = listed(...values.slice(0, 3));
    const { run, column, cli, file } = await careless(rows);
    const preview = (await cli("preview", file, "rows", "--json")).json();
    const codes = (preview.warnings ?? []).map(({ code }: { code: string }) => code);
    const isWarned =
      preview.error || codes.some((code: string) => code.startsWith("preview.cursor"));
    const outcomes = [await run()];
    for (const id of [4, 5]) {
      rows.push({ id, at: values[id - 1] });
      outcomes.push(await run());
    }
    const isSilent = outcomes.every(({ exit }) => exit === 0);
    const isWhole = (await column("rows")).length === 5;
    expect({ isWhole, isTold: isWarned && !isSilent }).toMatchObject(
      isWhole ? { isWhole: true } : { isTold: true },
    );
  });

  it("dates of RFC 1123 starts at an initial value that is one", async () => {
    const [, values] = times[0] as [string, unknown[]];
    const { run, column } = await careless(listed(...values), { initial_value: values[2] });
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(texts([3, 4, 5]));
  });

  it("dates of RFC 1123 goes back by its lag", async () => {
    const [, values] = times[0] as [string, unknown[]];
    const rows = listed(...values.slice(0, 4));
    const { run, column } = await careless(rows, { lag: 40 * 86_400 });
    await run();
    rows.push({ id: 5, at: "Thu, 01 Jan 2026 11:00:00 GMT" });
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(texts([1, 2, 3, 4, 5]));
  });

  it("dates of RFC 1123 never goes beyond the API's own clock", async () => {
    const future = new Date(Date.now() + 86_400_000).toUTCString();
    const rows = listed(future);
    const { run, column } = await careless(rows);
    expect((await run()).of("rows").status).toBe("succeeded");
    rows.push({ id: 2, at: new Date(Date.now() + 3_600_000).toUTCString() });
    await run();
    expect(await column("rows")).toEqual(texts([1, 2]));
  });
});

describe("naive local times east of UTC", () => {
  /** Two hours ahead of the API's own clock, which tells UTC. */
  const local = (minutes: number) =>
    new Date(Date.now() + (120 + minutes) * 60_000).toISOString().slice(0, 19);

  it.each([
    ["merge", {}],
    ["append", { primary_key: null, write_disposition: "append" }],
    ["append with a key", { write_disposition: "append" }],
  ])("are read by each run, with %s", async (_, more) => {
    const rows = listed(local(-30), local(-20), local(-10));
    const { run, column } = await careless(rows, {}, more);
    for (const id of [4, 5]) {
      expect((await run()).of("rows").status).toBe("succeeded");
      rows.push({ id, at: local(id - 10) });
    }
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(texts([1, 2, 3, 4, 5]));
  });

  it("by the hundreds at the boundary are no reason to fail an append", async () => {
    const rows = Array.from({ length: 3_000 }, (_, n) => ({ id: n + 1, at: local(n % 50) }));
    const more = { primary_key: null, write_disposition: "append" };
    const { run, column } = await careless(rows, {}, more);
    for (let n = 0; n < 2; n++) {
      expect((await run()).of("rows").status).toBe("succeeded");
      expect(await column("rows")).toHaveLength(3_000);
    }
  });
});
