import { sources } from "@tidetable/sources";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { isFailure } from "../../packages/core/src/base/errors.ts";
import { parseScheduleEvent, parseWorkerEvent } from "../../packages/core/src/entry/events.ts";
import { planOf, resourceOf } from "../../packages/core/src/run/reach.ts";
import { anyText, fuzz, refusalOf } from "../support/fuzz.ts";

// Arbitrary events, from the console or from a function of another account.

const KEY = "canary-77c2d0b1e4";

const values = fc.oneof(
  fc.jsonValue(),
  anyText,
  fc.boolean(),
  fc.integer(),
  fc.constantFrom("ticketing", "tickets", "__proto__", "constructor", KEY, "x".repeat(300)),
  fc.array(fc.constantFrom("tickets", "users", "__proto__", KEY)),
);
const fields = [
  ...["source", "resources", "time", "limit_pages", "full_refresh", "confirm", "check", "resume"],
  ...["resource", "run_id", "spool_only", "base_url", "table", "secret", "__proto__"],
];
const events = fc.oneof(
  fc.jsonValue(),
  fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...fields), anyText), values), { maxLength: 6 })
    // JSON treats `__proto__` as an ordinary member.
    .map((members) => Object.fromEntries(members)),
);

/** Expects a refusal that a person or a log can read. */
function expectClearRefusal(error: unknown): void {
  if (!isFailure(error)) throw error;
  expect(error).toMatchObject({ name: "ConfigError", code: expect.stringMatching(/^event\./) });
  expect(error.message).not.toMatch(/\[object/);
  expect(error.message.length).toBeLessThan(1000);
}

describe("an event", () => {
  const parsers = { schedule: parseScheduleEvent, worker: parseWorkerEvent };
  for (const [name, parse] of Object.entries(parsers)) {
    fuzz(
      `an event of the ${name} is accepted unchanged or refused with a message`,
      4000,
      events,
      (event) => {
        const refusal = refusalOf(() => parse(event));
        if (refusal) return expectClearRefusal(refusal);
        expect(parse(event)).toEqual(event ?? {});
        const allowedFields = new Set(fields.slice(0, 11));
        for (const field of Object.keys(event ?? {})) expect(allowedFields).toContain(field);
      },
    );
  }

  const names = fc.record({ source: values, resource: values });
  fuzz("an event for a worker names an existing resource or is refused", 3000, names, (named) => {
    const event = { ...named, run_id: "r1" };
    const refusal = refusalOf(() => {
      const { source, resource } = parseWorkerEvent(event);
      const plan = resourceOf(planOf(sources, source), resource);
      expect([plan.source, plan.name]).toEqual([source, resource]);
    });
    if (refusal) expectClearRefusal(refusal);
  });
});
