import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";
import {
  parseRelativeTime,
  resolveRelativeTime,
} from "../../packages/core/src/config/relative-time.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import type { SourceConfig } from "../../packages/core/src/config/types.ts";

const now = Date.UTC(2026, 2, 31, 12, 30, 45, 678);

const resolve = (text: string) => {
  const time = parseRelativeTime(text);
  return time && resolveRelativeTime(time, now);
};

describe("a start that is counted from now", () => {
  test.each([
    ["now", "2026-03-31T12:30:45Z"],
    ["now - 30 days", "2026-03-01T12:30:45Z"],
    ["now-1 hour - 30 minutes", "2026-03-31T11:00:45Z"],
    ["today", "2026-03-31T00:00:00Z"],
    ["today - 1 month", "2026-02-28T00:00:00Z"],
    ["today - 1 year + 1 day", "2025-04-01T00:00:00Z"],
    ["today - 2 weeks as iso_date", "2026-03-17"],
    ["today as epoch_s", 1774915200],
    ["now as epoch_ms", now],
  ])("the start %s is %s", (text, expected) => {
    expect(resolve(text)).toBe(expected);
  });

  const problemsOf = (incremental: object, child?: object) =>
    validate(
      rest_api_source({
        client: { base_url: "https://api.example.com" },
        resources: [
          {
            name: "events",
            primary_key: "id",
            endpoint: { incremental: { cursor_path: "at", start_param: "since", ...incremental } },
          },
          ...(child
            ? [{ name: "lines", endpoint: "events/{resources.events.id}/lines", ...child }]
            : []),
        ],
      } as SourceConfig),
      "crm",
    ).map(({ path, hint }) => `${path.replace(/^.*\./, "")}: ${hint}`);

  it("a start that cannot be counted from now is refused with examples", () => {
    expect(problemsOf({ initial_value: "now - 30 d" })).toEqual([
      expect.stringMatching(/^initial_value: write it like "now - 30 days"/),
    ]);
    expect(problemsOf({ initial_value: "now - 30 days" })).toEqual([]);
  });

  it("an end, a backfill and per_parent have no start that is counted from now", () => {
    expect(problemsOf({ initial_value: "2026-01-01", end_value: "now" })).toHaveLength(1);
    expect(problemsOf({ initial_value: "now - 2 days", end_value: "2026-01-01" })).toHaveLength(1);
  });

  it("a child below a start that moves cannot replace its rows", () => {
    const child = { primary_key: "id", write_disposition: "replace", include_from_parent: ["at"] };
    expect(problemsOf({ initial_value: "now - 2 days" }, child)).toEqual([
      `write_disposition: give it a fixed "initial_value", or use "merge"`,
    ]);
  });
});
