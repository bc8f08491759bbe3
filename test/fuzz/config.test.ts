import { Secret } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { longestGap } from "../../packages/core/src/config/cadence.ts";
import {
  parseSecretReferences,
  parseTemplate,
  templateReferences,
  Template,
} from "../../packages/core/src/config/templates.ts";
import { judged } from "../support/configs.ts";
import { anyText, fuzz, mutated, refusalOf, repeated } from "../support/fuzz.ts";

// Whatever somebody writes into a config.

const KEY = "canary-77c2d0b1e4";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The config as a file has it, with the credential itself in it. */
const plain = (value: unknown): Json => {
  if (value instanceof Secret) return KEY;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
};
const seeds = Object.values(sources).map(({ config }) => plain(config));

const words = [
  ...["client", "base_url", "auth", "paginator", "headers", "resource_defaults", "resources"],
  ...[
    "name",
    "endpoint",
    "path",
    "params",
    "json",
    "data",
    "method",
    "data_selector",
    "primary_key",
  ],
  ...[
    "write_disposition",
    "columns",
    "incremental",
    "cursor_path",
    "initial_value",
    "type",
    "limit",
  ],
  ...[
    "api_key",
    "token",
    "location",
    "token_url",
    "scopes",
    "error_handler",
    "max_retries",
    "rows",
  ],
  ...["bearer", "oauth2", "offset", "merge", "replace", "append", "write_mode", "version_field"],
  ...["{resources.tickets.id}", "{incremental.start_value}", "{secrets.api_key}", "$.data[*]"],
  ...["schema_contract", "freeze", "table", "indexes", "selected", "processing_steps", "__proto__"],
];
const values: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -1, 100, 1e300, "", [], {}, "id", ["id", "at"]),
  fc.constantFrom(...words),
  fc.dictionary(fc.constantFrom(...words), fc.oneof(fc.constantFrom(...words), fc.nat()), {
    noNullPrototype: true,
  }),
  // As JSON.parse makes objects.
  fc.json().map((text): Json => JSON.parse(text)),
  anyText,
);

/** Puts a value to a place, takes one away, renames one, or copies another place there. */
const change = fc.record({
  steps: fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }),
  how: fc.constantFrom("put", "drop", "rename", "add", "misspell"),
  word: fc.constantFrom(...words),
  value: values,
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** A copy with the change at the place that the steps lead to. */
function changed(config: Json, { steps, ...how }: Change): Json {
  const [step = 0, ...rest] = steps;
  if (typeof config !== "object" || config === null) return how.value;
  const names = Object.keys(config);
  const at = names[step % names.length];
  if (at === undefined || (rest.length === 0 && how.how === "put")) return how.value;
  const entries = Object.entries(config);
  const deeper = rest.length > 0 && typeof (config as never)[at] === "object";
  const made = entries.flatMap(([name, one]): [string, Json][] => {
    if (name !== at) return [[name, one]];
    if (deeper) return [[name, changed(one, { steps: rest, ...how })]];
    if (how.how === "drop") return [];
    if (how.how === "rename") return [[how.word, one]];
    if (how.how === "misspell") return [[name.slice(0, 3) + name.slice(4), one]];
    return how.how === "add"
      ? [
          [name, one],
          [how.word, how.value],
        ]
      : [[name, how.value]];
  });
  return Array.isArray(config) ? made.map(([, one]) => one) : Object.fromEntries(made);
}

describe("a config", () => {
  fuzz("of any shape gets problems or a plan", 1500, fc.tuple(values, values), ([one, two]) => {
    judged(one, two);
  });

  const near = fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([seed, changes]) => changes.reduce(changed, seed));
  fuzz(
    "that is nearly right gets problems or a plan, and none that tells a key",
    1500,
    near,
    (config) => {
      expect(judged(config)).not.toContain(KEY);
    },
  );

  fuzz(
    "with any options gets problems or a plan",
    400,
    fc.array(change, { minLength: 1, maxLength: 4 }),
    (changes) => {
      const options = {
        schedule: { expression: "rate(1 hour)", timezone: "UTC", enabled: true },
        full_refresh_schedule: "cron(0 3 ? * SUN *)",
        function: { memory: "512 MB", timeout: "5 minutes" },
      };
      judged(seeds[0], changes.reduce<Json>(changed, options));
    },
  );
});

const expressions = fc.oneof(
  mutated(
    [
      "rate(1 hour)",
      "cron(0 6 ? * MON-FRI *)",
      "cron(0/15 8-17 1,L * ? 2030-2035)",
      "cron(0 0 ? * 6#5 *)",
    ],
    [..."?*LW#/,-() 0123456789", "MON", "JAN", "rate(", "cron(", "2199", "31W", "9999999999"],
  ),
  fc
    .array(
      fc.constantFrom("*", "?", "0", "31", "L", "LW", "1W", "2#5", "6L", "1-7", "*/9", "FEB"),
      { minLength: 6, maxLength: 6 },
    )
    .map((all) => `cron(${all.join(" ")})`),
  repeated([..."?*L#/,- 0", "cron(", ")"]),
  anyText,
);

describe("a schedule", () => {
  fuzz("has a longest gap, or is refused", 1500, expressions, (text) => {
    const refusal = refusalOf(() => expect(longestGap(text)).toBeGreaterThan(0));
    if (refusal)
      expect(refusal).toMatchObject({ code: "config.schedule", hint: expect.any(String) });
  });
});

const templates = fc.oneof(
  mutated(
    [
      "/users/{resources.users.id}/posts",
      "at>{incremental.start_value} {{x}}",
      "Token {secrets.key}",
    ],
    [..."{}.[]'\"", "{{", "}}", "{resources.", "{incremental.", "{secrets.", "resources"],
  ),
  repeated([..."{}.a", "{resources.a.b}", "{secrets.a}"]),
  anyText,
);

describe("a template", () => {
  fuzz("is a text, has references or is refused", 2000, templates, (text) => {
    for (const parse of [parseTemplate, parseSecretReferences]) {
      const refusal = refusalOf(() => {
        const parsed = parse(text);
        if (parsed instanceof Template) expect([...templateReferences(parsed)]).not.toEqual([]);
      });
      if (refusal) expect(refusal.code).toMatch(/^config\.(template|jsonpath)$/);
    }
  });

  fuzz(
    "keeps every secret that its text names",
    2000,
    fc.array(
      fc.oneof(
        anyText,
        fc.stringMatching(/^[a-z_]{1,9}$/).map((name) => ({ name })),
      ),
    ),
    (parts) => {
      const shown = parts.map((part) =>
        typeof part === "string" ? part.replace(/[{}]/g, "") : `{secrets.${part.name}}`,
      );
      const named = parts.flatMap((part) => (typeof part === "string" ? [] : part.name));
      expect(Secret.fromText(shown.join("")).names).toEqual(named);
      const values = { get: (name: string) => `<${name}>` };
      const full = parts.map((part) =>
        typeof part === "string" ? part.replace(/[{}]/g, "") : `<${part.name}>`,
      );
      expect(Secret.fromText(shown.join("")).reveal(values)).toBe(full.join(""));
    },
  );
});
