import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { looksLikeDate } from "../../packages/core/src/values/date-like.ts";
import { compareTimes, formatTime, parseTime } from "../../packages/core/src/values/time.ts";

const instantOf = (text: string) => parseTime(text)?.ms;

describe("parseTime", () => {
  test.each([
    ["2026-01-31", "2026-01-31T00:00:00Z"],
    ["2026-01", "2026-01-01T00:00:00Z"],
    ["2026/01/31 10:20", "2026-01-31T10:20:00Z"],
    ["2026-01-31T10:20:30.25+02:00", "2026-01-31T08:20:30.250Z"],
    ["2026-01-31 10:20:30 -0530", "2026-01-31T15:50:30Z"],
    ["20260131T102030Z", "2026-01-31T10:20:30Z"],
    ["Sat, 31 Jan 2026 10:20:30 GMT", "2026-01-31T10:20:30Z"],
    ["sat, 31 jan 2026 10:20:30 gmt", "2026-01-31T10:20:30Z"],
    ["Thu, 1 Jan 2026 01:00:00 +0200", "2025-12-31T23:00:00Z"],
    ["31 Jan 2026 10:20 EST", "2026-01-31T15:20:00Z"],
    ["Sat, 31 Jan 2026 10:20:30", "2026-01-31T10:20:30Z"],
    ["31 Jan 2026", "2026-01-31T00:00:00Z"],
  ])("the time %s is the instant %s", (text, instant) => {
    expect(instantOf(text)).toBe(Date.parse(instant));
  });

  test.each([
    "20260131",
    "2026",
    "2026-13-01",
    "2026-01T10:20",
    "2026-01/31",
    "31.01.2026",
    "01/31/2026",
    "2026-01-31 10:20 AM",
    "Sat, 31 Foo 2026 10:20:30 GMT",
    "Foo, 31 Jan 2026 10:20:30 GMT",
    "Sat, 31 Jan 2026 10:20:30 XYZ",
    "yesterday",
    "",
  ])("the string %j is no time whose form is known", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

describe("formatTime", () => {
  const time = { ms: Date.parse("2026-03-05T06:07:08.912Z"), digitsBelowMs: "345" };

  test.each([
    ["2020-12-31", "2026-03-05"],
    ["2020-12", "2026-03"],
    ["2020/12/31 23:59", "2026/03/05 06:07"],
    ["2020-12-31T23:59:59.1234+02:00", "2026-03-05T08:07:08.9123+02:00"],
    ["20201231T235959Z", "20260305T060708Z"],
    ["Thu, 31 Dec 2020 23:59:59 GMT", "Thu, 05 Mar 2026 06:07:08 GMT"],
    ["Tue, 1 Dec 2020 23:59:59 -0500", "Thu, 5 Mar 2026 01:07:08 -0500"],
    ["31 Dec 2020 23:59", "05 Mar 2026 06:07"],
    ["Thu 31 Dec 2020", "Thu 05 Mar 2026"],
  ])("a time is written in the form of %s", (model, expected) => {
    expect(formatTime(time, model)).toBe(expected);
  });

  test("a time of RFC 1123 is written as JavaScript writes it, and is read again as the same instant", () => {
    const seconds = fc.integer({ min: 0, max: Date.parse("2099-12-31") / 1000 });
    fc.assert(
      fc.property(seconds, seconds, (instant, other) => {
        const text = new Date(instant * 1000).toUTCString();
        expect(instantOf(text)).toBe(instant * 1000);
        const model = new Date(other * 1000).toUTCString();
        expect(formatTime({ ms: instant * 1000, digitsBelowMs: "" }, model)).toBe(text);
      }),
    );
  });
});

it("times of different forms are compared by their instants", () => {
  const order = ["Wed, 31 Dec 2025 10:00:00 GMT", "2026-01-01T01:00:00+02:00", "2026/01/01"];
  const times = order.map((text) => parseTime(text) as NonNullable<ReturnType<typeof parseTime>>);
  for (const [index, time] of times.slice(1).entries()) {
    expect(compareTimes(times[index] as typeof time, time)).toBeLessThan(0);
  }
});

describe("looksLikeDate", () => {
  test.each([
    "31.12.2025",
    "31.12.25 10:00",
    "12/31/2025",
    "12/31/25, 10:00 PM",
    "1-2-2026",
    "2026-1-5",
    "2026-01-01 09:00 AM",
    "2026-02-30T25:00:00Z",
    "5 January 2026",
    "05-Jan-26",
    "5th of May 2026",
    "Jan 5, 2026 10:00 AM",
    "January 5th",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Thu Jan 01 2026 10:00:00 GMT+0100 (CET)",
    "5. März 2026",
    "5 de mayo de 2026",
    "10:15",
    "9:05 pm",
    "5 PM",
    "3 weeks ago",
    "an hour ago",
    "5m ago",
    "yesterday",
    "just now",
  ])("the string %j looks like a date or time", (text) => {
    expect(looksLikeDate(text)).toBe(true);
  });

  test.each([
    "",
    "b",
    "ticket-17",
    "2026-W05",
    "2026-Q1",
    "2026-01-15-0001",
    "INV-2026-01-15-0001",
    "01HXYZ6QK3M9V7B2C4D5E6F7G8",
    "507f1f77bcf86cd799439011",
    "5dec12ab5feb3may9a",
    "decfaced-12ab-4feb-9dec-123456789012",
    "aB3pm9x",
    "eyJpZCI6MTJ9",
    "1.2.3",
    "192.168.0.1",
    "maya",
    "chicago",
    "nowhere",
    "device:12:30:x",
    "x".repeat(1000),
  ])("the string %j does not look like a date", (text) => {
    expect(looksLikeDate(text)).toBe(false);
  });
});
