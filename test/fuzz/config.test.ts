import { Secret } from "@tidetable/core/internal";
import { sources } from "@tidetable/sources";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { longestGap } from "../../packages/core/src/config/cadence.ts";
import {
  parseSecretReferences,
  parseTemplate,
  Template,
  templateReferences,
} from "../../packages/core/src/config/templates.ts";
import { expectProblemsOrPlan } from "../support/configs.ts";
import { anyText, fuzz, mutated, refusalOf, repeated } from "../support/fuzz.ts";

// Arbitrary configs.

const KEY = "canary-77c2d0b1e4";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Copies a config with the credential itself in place of each reference, as a file could have it. */
const withPlainCredentials = (value: unknown): Json => {
  if (value instanceof Secret) return KEY;
  if (Array.isArray(value)) return value.map(withPlainCredentials);
  if (typeof value !== "object" || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withPlainCredentials(member)]),
  );
};
const seeds = Object.values(sources).map(({ config }) => withPlainCredentials(config));

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
  // Objects as JSON.parse makes them.
  fc.json().map((text): Json => JSON.parse(text)),
  anyText,
);

/** A change of one member: replaced, dropped, renamed, misspelled, or followed by another one. */
const change = fc.record({
  steps: fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }),
  kind: fc.constantFrom("put", "drop", "rename", "add", "misspell"),
  word: fc.constantFrom(...words),
  value: values,
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** Copies a config with a change at the member to which the steps lead. */
function applyChange(config: Json, { steps, ...edit }: Change): Json {
  const [step = 0, ...deeperSteps] = steps;
  if (typeof config !== "object" || config === null) return edit.value;
  const names = Object.keys(config);
  const at = names[step % names.length];
  if (at === undefined || (deeperSteps.length === 0 && edit.kind === "put")) return edit.value;
  const entries = Object.entries(config);
  const isDeeper = deeperSteps.length > 0 && typeof (config as never)[at] === "object";
  const edited = entries.flatMap(([name, member]): [string, Json][] => {
    if (name !== at) return [[name, member]];
    if (isDeeper) return [[name, applyChange(member, { steps: deeperSteps, ...edit })]];
    if (edit.kind === "drop") return [];
    if (edit.kind === "rename") return [[edit.word, member]];
    if (edit.kind === "misspell") return [[name.slice(0, 3) + name.slice(4), member]];
    return edit.kind === "add"
      ? [
          [name, member],
          [edit.word, edit.value],
        ]
      : [[name, edit.value]];
  });
  return Array.isArray(config) ? edited.map(([, element]) => element) : Object.fromEntries(edited);
}

describe("a config", () => {
  fuzz(
    "a config of any shape gets problems or a plan",
    1500,
    fc.tuple(values, values),
    ([config, options]) => {
      expectProblemsOrPlan(config, options);
    },
  );

  const near = fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([seed, changes]) => changes.reduce(applyChange, seed));
  fuzz(
    "a nearly valid config gets a plan, or problems that do not show a credential",
    1500,
    near,
    (config) => {
      expect(expectProblemsOrPlan(config)).not.toContain(KEY);
    },
  );

  fuzz(
    "a config with any options gets problems or a plan",
    400,
    fc.array(change, { minLength: 1, maxLength: 4 }),
    (changes) => {
      const options = {
        schedule: { expression: "rate(1 hour)", timezone: "UTC", enabled: true },
        full_refresh_schedule: "cron(0 3 ? * SUN *)",
        function: { memory: "512 MB", timeout: "5 minutes" },
      };
      expectProblemsOrPlan(seeds[0], changes.reduce<Json>(applyChange, options));
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
    .map((fields) => `cron(${fields.join(" ")})`),
  repeated([..."?*L#/,- 0", "cron(", ")"]),
  anyText,
);

describe("a schedule", () => {
  fuzz("a schedule has a longest gap or is refused", 1500, expressions, (text) => {
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
  fuzz("a template is a string, has references or is refused", 2000, templates, (text) => {
    for (const parse of [parseTemplate, parseSecretReferences]) {
      const refusal = refusalOf(() => {
        const parsed = parse(text);
        if (parsed instanceof Template) expect([...templateReferences(parsed)]).not.toEqual([]);
      });
      if (refusal) expect(refusal.code).toMatch(/^config\.(template|jsonpath)$/);
    }
  });

  fuzz(
    "a template keeps every secret that its text names",
    2000,
    fc.array(
      fc.oneof(
        anyText,
        fc.stringMatching(/^[a-z_]{1,9}$/).map((name) => ({ name })),
      ),
    ),
    (parts) => {
      const hiddenText = parts.map((part) =>
        typeof part === "string" ? part.replace(/[{}]/g, "") : `{secrets.${part.name}}`,
      );
      const namedMembers = parts.flatMap((part) => (typeof part === "string" ? [] : part.name));
      expect(Secret.fromText(hiddenText.join("")).names).toEqual(namedMembers);
      const values = { get: (name: string) => `<${name}>` };
      const full = parts.map((part) =>
        typeof part === "string" ? part.replace(/[{}]/g, "") : `<${part.name}>`,
      );
      expect(Secret.fromText(hiddenText.join("")).reveal(values)).toBe(full.join(""));
    },
  );
});
