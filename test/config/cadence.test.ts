import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ConfigError } from "../../packages/core/src/base/errors.ts";
import { firingsPerMonth, longestGap } from "../../packages/core/src/config/cadence.ts";

const hour = 60 * 60_000;
const day = 24 * hour;
const errorOf = (expression: string) => {
  try {
    longestGap(expression);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`no error for ${expression}`);
};

describe("firings per month", () => {
  test.each([
    ["rate(1 minute)", 43_800],
    ["rate(1 hour)", 730],
    ["rate(7 days)", 730 / 24 / 7],
    ["cron(0/15 * * * ? *)", 4 * 730],
    ["cron(0 6 * * ? *)", 730 / 24],
    ["cron(0 6 ? * MON-FRI *)", (5 / 7) * (730 / 24)],
    ["cron(0 8,18 1 * ? *)", 24 / (365.25 / (730 / 24))],
    ["cron(0 6 29 2 ? *)", 0.25 / (365.25 / (730 / 24))],
    ["cron(0 6 1 1 ? 2030)", 1 / (365.25 / (730 / 24))],
  ])("%s fires %s times in a month of 730 hours", (expression, times) => {
    expect(firingsPerMonth(expression) / times).toBeCloseTo(1, 3);
  });
});

describe("the longest gap", () => {
  test.each([
    ["rate(1 minute)", hour / 60],
    ["rate(90 minutes)", 1.5 * hour],
    ["rate(1 hour)", hour],
    ["rate(7 days)", 7 * day],
  ])("the longest gap of %s is its period", (expression, expected) =>
    expect(longestGap(expression)).toBe(expected));

  test.each([
    ["every minute", "cron(* * * * ? *)", hour / 60],
    ["every quarter of an hour", "cron(0/15 * * * ? *)", hour / 4],
    ["uneven minutes", "cron(0,10,45 * * * ? *)", (35 / 60) * hour],
    ["daily", "cron(0 6 * * ? *)", day],
    ["daily, by the day of the week", "cron(0 6 ? * * *)", day],
    ["at night it waits longest", "cron(0 6,12,18 * * ? *)", 12 * hour],
    ["office hours, over the weekend", "cron(0 8-17 ? * MON-FRI *)", 63 * hour],
    ["weekdays", "cron(0 6 ? * MON-FRI *)", 3 * day],
    ["weekdays by number, 1 is Sunday", "cron(0 6 ? * 2-6 *)", 3 * day],
    ["names in small letters", "cron(0 6 ? jan-dec mon-fri *)", 3 * day],
    ["Sundays", "cron(0 6 ? * SUN *)", 7 * day],
    ["the last day of the week", "cron(0 6 ? * L *)", 7 * day],
    ["monthly", "cron(0 6 1 * ? *)", 31 * day],
    ["every third day, over the month's end", "cron(0 6 1/3 * ? *)", 3 * day],
    ["the 31st, which not every month has", "cron(0 6 31 * ? *)", 61 * day],
    ["the last of the month", "cron(0 6 L * ? *)", 31 * day],
    ["the first Monday", "cron(0 6 ? * MON#1 *)", 35 * day],
    ["the last Friday", "cron(0 6 ? * 6L *)", 35 * day],
    ["the last Friday, by name", "cron(0 6 ? * FRIL *)", 35 * day],
    ["quarterly", "cron(0 6 1 1/3 ? *)", 92 * day],
    ["twice a year", "cron(0 6 1 JAN,JUL ? *)", 184 * day],
    ["yearly", "cron(0 6 1 1 ? *)", 366 * day],
    ["February 29", "cron(0 6 29 2 ? *)", (4 * 365 + 1) * day],
    ["in some years", "cron(0 6 * * ? 2030,2032)", 366 * day],
    ["with spaces to spare", "cron(0  6 * * ? *)", day],
  ])("a cron schedule has the expected longest gap: %s, %s", (_, expression, expected) =>
    expect(longestGap(expression)).toBe(expected));

  test.each([
    ["the 15th is a Saturday or a Sunday", "cron(0 6 15W 2,3 ? 2026)", 30 - 2],
    ["the 1st is a Saturday: not in the month before", "cron(0 6 1W 7,8 ? 2026)", 33],
    ["the last is a Sunday: not in the month after", "cron(0 6 31W 5,7 ? 2026)", 63],
    ["the last weekday", "cron(0 6 LW 5,6 ? 2026)", 32],
  ])("W is the nearest weekday in the same month: %s, %s", (_, expression, days) =>
    expect(longestGap(expression)).toBe(days * day));

  it("a schedule that fires once has an infinite gap", () => {
    expect(longestGap("cron(0 6 1 1 ? 2030)")).toBe(Number.POSITIVE_INFINITY);
    expect(longestGap("cron(0 6,18 1 1 ? 2030)")).toBe(12 * hour);
  });

  it("the longest gap is the one that a calendar of 56 years shows, minute by minute", () => {
    const integers = (min: number, max: number, maxLength = 3) =>
      fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength });
    const dates = fc.record({ dates: integers(1, 28), weekdays: fc.constant(undefined) });
    const weekdays = fc.record({ dates: fc.constant(undefined), weekdays: integers(1, 7) });
    const fields = fc.record({
      minutes: integers(0, 59),
      hours: integers(0, 23),
      months: integers(1, 12, 12),
      days: fc.oneof(dates, weekdays),
    });
    fc.assert(
      fc.property(fields, ({ minutes, hours, months, days }) => {
        const fires = (at: Date) =>
          months.includes(at.getUTCMonth() + 1) &&
          (days.dates?.includes(at.getUTCDate()) || days.weekdays?.includes(at.getUTCDay() + 1));
        const times: number[] = [];
        for (let at = Date.UTC(2001, 0); at < Date.UTC(2057, 0); at += day) {
          if (!fires(new Date(at))) continue;
          for (const h of hours) for (const m of minutes) times.push(at + h * hour + m * 60_000);
        }
        times.sort((a, b) => a - b);
        const expectedGap = times.reduce(
          (longest, time, n) => Math.max(longest, time - (times[n - 1] ?? time)),
          0,
        );
        const dayFields = `${days.dates ?? "?"} ${months} ${days.weekdays ?? "?"}`;
        expect(longestGap(`cron(${minutes} ${hours} ${dayFields} *)`)).toBe(expectedGap);
      }),
      { numRuns: 60 },
    );
  });
});

describe("schedules that EventBridge would refuse", () => {
  test.each([
    ["rate(1 hours)", 'write "rate(1 hour)"'],
    ["rate(5 minute)", 'write "rate(5 minutes)"'],
    ["rate(2 dyas)", 'write "rate(2 days)"'],
    ["rate(2 weeks)", 'for example "rate(1 hour)" or "rate(7 days)"'],
    ["rate(0 days)", 'for example "rate(1 hour)" or "rate(7 days)"'],
    ["rate(1.5 hours)", 'for example "rate(1 hour)" or "rate(7 days)"'],
    ["rate(hour)", 'for example "rate(1 hour)" or "rate(7 days)"'],
  ])("the rate %s is refused, with a valid rate as a hint", (expression, hint) => {
    expect(errorOf(expression)).toMatchObject({
      code: "config.schedule",
      message: expect.stringMatching(/^not a rate: .* above 0 .* 1 with minute, hour or day$/),
      hint,
    });
  });

  test.each([
    ["daily"],
    ["0 6 * * *"],
    ["RATE(1 hour)"],
    ["at(2030-01-01T06:00:00)"],
    ["rate(1 hour) "],
    [""],
  ])("%j is refused, because it is neither a rate nor cron", (expression) => {
    expect(errorOf(expression)).toMatchObject({
      message: "not a schedule: a source runs at a rate, or by cron",
      hint: 'for example "rate(1 hour)", "rate(7 days)" or "cron(0 6 ? * MON-FRI *)"',
    });
  });

  test.each([
    ["cron(0 6 * * *)", "six fields"],
    ["cron(0 0 6 * * ? *)", "six fields"],
    ["cron()", "six fields"],
    ["cron(0 6 * * MON *)", "one has to be ? and the other not"],
    ["cron(0 6 ? * ? *)", "one has to be ? and the other not"],
    ["cron(60 6 * * ? *)", "its minutes can be 0 to 59"],
    ["cron(? 6 * * ? *)", "its minutes can be 0 to 59"],
    ["cron(0/0 6 * * ? *)", "its minutes can be 0 to 59"],
    ["cron(0/60 6 * * ? *)", "its minutes can be 0 to 59"],
    ["cron(*-30 6 * * ? *)", "its minutes can be 0 to 59"],
    ["cron(0, 6 * * ? *)", "its minutes can be 0 to 59"],
    ["cron(0 24 * * ? *)", "its hours can be 0 to 23"],
    ["cron(0 18-6 * * ? *)", "its hours can be 0 to 23"],
    ["cron(0 6 0 * ? *)", "its day of month can be 1 to 31"],
    ["cron(0 6 32W * ? *)", "its day of month can be 1 to 31"],
    ["cron(0 6 1,L * ? *)", "its day of month can be 1 to 31"],
    ["cron(0 6 1 13 ? *)", "its month can be 1 to 12 or JAN to DEC"],
    ["cron(0 6 1 JANUARY ? *)", "its month can be 1 to 12 or JAN to DEC"],
    ["cron(0 6 ? * 0 *)", "its day of week can be 1 to 7 or SUN to SAT"],
    ["cron(0 6 ? * MO *)", "its day of week can be 1 to 7 or SUN to SAT"],
    ["cron(0 6 ? * FRI-MON *)", "its day of week can be 1 to 7 or SUN to SAT"],
    ["cron(0 6 ? * 2/2 *)", "its day of week can be 1 to 7 or SUN to SAT"],
    ["cron(0 6 ? * MON#6 *)", "its day of week can be 1 to 7 or SUN to SAT"],
    ["cron(0 6 ? * 8L *)", "its day of week can be 1 to 7 or SUN to SAT"],
    ["cron(0 6 1 1 ? 1969)", "its year can be 1970 to 2199"],
    ["cron(0 6 30 2 ? *)", "no year has such a day"],
  ])("%s is refused: %s", (expression, words) => {
    const { message, hint } = errorOf(expression);
    expect(message).toMatch(/^not a cron expression that EventBridge takes: /);
    expect(message).toContain(words);
    expect(hint).toMatch(/".*"/);
  });

  it("every example in a hint is a valid schedule", () => {
    const hints = ["daily", "rate(2 weeks)", "cron(0)", "cron(0 6 * * * *)"].map(
      (wrong) => errorOf(wrong).hint ?? "",
    );
    const examples = hints.flatMap((hint) =>
      [...hint.matchAll(/"([^"]+)"/g)].map(([, example]) => example),
    );
    expect(examples.length).toBeGreaterThan(6);
    for (const example of examples) expect(longestGap(example ?? "")).toBeGreaterThan(0);

    const wrongFields = ["x", "6 x", "6 6 x", "6 6 1 x", "6 6 ? 1 x", "6 6 1 1 ? x"];
    for (const start of wrongFields) {
      const firstFields = start.split(" ");
      const lastFields = ["0", "6", "*", "*", "?", "*"].slice(firstFields.length);
      const wrongIndex = firstFields.length - 1;
      const { hint = "" } = errorOf(`cron(${[...firstFields, ...lastFields].join(" ")})`);
      for (const [, example = ""] of hint.matchAll(/"([^"]+)"/g)) {
        const fields =
          firstFields[2] === "?" ? ["0", "6", "?", "*", "*", "*"] : ["0", "6", "1", "*", "?", "*"];
        fields[wrongIndex] = example;
        if (example === "?") fields[6 - wrongIndex] = "1";
        expect(longestGap(`cron(${fields.join(" ")})`)).toBeGreaterThan(0);
      }
    }
  });
});
