import { sources } from "@tidetable/sources";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { isFailure } from "../../packages/core/src/base/errors.ts";
import { parseScheduleEvent, parseWorkerEvent } from "../../packages/core/src/entry/events.ts";
import { planOf, resourceOf } from "../../packages/core/src/run/reach.ts";
import { anyText, fuzz, refusalOf } from "../support/fuzz.ts";

// Whatever somebody pastes into the console, or another account's function sends.

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
    // As JSON has it: `__proto__` is a member like any other.
    .map((members) => Object.fromEntries(members)),
);

/** What a person or a log reads of a refusal. */
function clear(error: unknown): void {
  if (!isFailure(error)) throw error;
  expect(error).toMatchObject({ name: "ConfigError", code: expect.stringMatching(/^event\./) });
  expect(error.message).not.toMatch(/\[object/);
  expect(error.message.length).toBeLessThan(1000);
}

describe("an event", () => {
  const parsers = { schedule: parseScheduleEvent, worker: parseWorkerEvent };
  for (const [name, parse] of Object.entries(parsers)) {
    fuzz(`of the ${name} is taken as it is, or refused in words`, 4000, events, (event) => {
      const refusal = refusalOf(() => parse(event));
      if (refusal) return clear(refusal);
      expect(parse(event)).toEqual(event ?? {});
      const known = new Set(fields.slice(0, 11));
      for (const field of Object.keys(event ?? {})) expect(known).toContain(field);
    });
  }

  const wanted = fc.record({ source: values, resource: values });
  fuzz("that is taken names a resource that is there, or is refused", 3000, wanted, (more) => {
    const event = { ...more, run_id: "r1" };
    const refusal = refusalOf(() => {
      const { source, resource } = parseWorkerEvent(event);
      const found = resourceOf(planOf(sources, source), resource);
      expect([found.source, found.name]).toEqual([source, resource]);
    });
    if (refusal) clear(refusal);
  });
});
