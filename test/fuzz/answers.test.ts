import fc from "fast-check";
import { describe, expect } from "vitest";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { findLink } from "../../packages/core/src/extract/paging/paginators-next.ts";
import {
  detectSelector,
  findValue,
  selectRecords,
  writePath,
} from "../../packages/core/src/extract/select.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { jsonText } from "../../packages/core/src/values/json-text.ts";
import { parseJson } from "../../packages/core/src/values/parse-json.ts";
import { anyText, fuzz, mutated, refusalOf, repeated } from "../support/fuzz.ts";

// Arbitrary answers of an API.

/** Replaces every number by its nearest double, as JSON.parse reads it. */
const asDoubles = (value: unknown): unknown => {
  if (typeof value === "bigint" || value instanceof Decimal) return Number(String(value));
  if (Array.isArray(value)) return value.map(asDoubles);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, asDoubles(member)]),
  );
};

const documents = [
  '{"data":[{"id":12345678901234567,"at":"2026-01-02T03:04:05.678Z","tags":["a","b"]}],"next":null}',
  '[1, -2.5e3, 0.1234567890123456789, 1e400, true, "\\u00e9\\ud83d\\ude00\\n", {"__proto__": {"x": 1}}]',
  '{"a":{"constructor":{"prototype":[]},"":[[[{}]]]},"b":"\\"__proto__\\":9007199254740993"}',
];
const jsonWords = [..."{}[],:\"\\'0123456789.eE+-/", "null", "true", "\\u", "\\ud800", "__proto__"];

describe("the JSON parser", () => {
  fuzz(
    "the JSON parser reads every text of JSON.stringify as JSON.parse does",
    3000,
    fc.jsonValue(),
    (value) => {
      const text = JSON.stringify(value);
      expect(parseJson(text)).toEqual(JSON.parse(text));
    },
  );

  const texts = fc.oneof(anyText, mutated(documents, jsonWords), repeated(jsonWords));
  fuzz(
    "the JSON parser refuses a text that is not JSON, and quotes no part of it",
    4000,
    texts,
    (text) => {
      let parsed: JsonValue;
      try {
        parsed = parseJson(text);
      } catch (error) {
        expect((error as Error).message).toMatch(/^[ \w;,:'"()-]+$/);
        return;
      }
      expect(asDoubles(parsed)).toEqual(asDoubles(JSON.parse(text)));
      expect(asDoubles(parseJson(jsonText(parsed)))).toEqual(asDoubles(parsed));
    },
  );

  const nested = fc.record({
    open: fc.constantFrom("[", '{"a":', '[{"a":'),
    levels: fc.nat(50_000),
    leaf: fc.constantFrom("1", "12345678901234567890", '{"__proto__":12345678901234567890}', ""),
    isClosed: fc.boolean(),
  });
  const close: Record<string, string> = { "[": "]", '{"a":': "}", '[{"a":': "}]" };
  fuzz(
    "a deeply nested text does not crash the JSON parser",
    30,
    nested,
    ({ open, levels, leaf, isClosed }) => {
      const text = open.repeat(levels) + leaf + (isClosed ? close[open]?.repeat(levels) : "");
      let parsed: JsonValue;
      try {
        parsed = parseJson(text);
      } catch (error) {
        expect((error as Error).message.length).toBeLessThan(200);
        return;
      }
      expect(jsonText(parsed)).toHaveLength(text.length);
    },
  );
});

const names = fc.oneof(fc.constantFrom("a", "b", "data", "items", "__proto__", "length"), anyText);
const steps = fc.oneof(
  fc.constantFrom(".a", ".data", "[*]", ".*", "[0]", "[-1]", "[999999999999]", "[?(@.a==1)]"),
  names.map((name) => `['${name.replace(/[\\']/g, "\\$&")}']`),
  fc.tuple(names, fc.jsonValue()).map(([name, is]) => `[?(@["${name}"]==${JSON.stringify(is)})]`),
);
const paths = fc.oneof(
  fc.array(steps).map((pathSteps) => `$${pathSteps.join("")}`),
  fc.array(steps).map((pathSteps) => pathSteps.join("")),
  mutated(["$.data.items[*]", "data[?(@.kind=='row')].rows[0]"], [...".[]*'\"?()@=$\\", "=="]),
  anyText,
  repeated([...".[]*'\"?()@=$\\ a", "[?(@", "=="]),
);
const bodies = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<JsonValue>;

describe("a selector", () => {
  fuzz(
    "a selector is a path or refused, and finds records or says where the search ended",
    6000,
    fc.tuple(paths, bodies),
    ([text, body]) => {
      const refusal = refusalOf(() => parseJsonPath(text));
      if (refusal) {
        expect(refusal).toMatchObject({ name: "ConfigError", code: "config.jsonpath" });
        // The message quotes at most one character of the text.
        expect(refusal.message.length).toBeLessThan(120);
        return;
      }
      const path = parseJsonPath(text);
      const selection = selectRecords(body, path);
      if ("records" in selection) expect(selection.records).toBeInstanceOf(Array);
      else
        expect(parseJsonPath(selection.reached).steps.length).toBeLessThanOrEqual(
          path.steps.length,
        );
      if ("records" in selection && selection.records.length > 0)
        expect(findValue(body, path)).toBeDefined();
      expect(parseJsonPath(writePath(path.steps)).steps).toEqual(path.steps);
    },
  );

  fuzz(
    "a detected selector selects the same records when it is parsed again",
    3000,
    bodies,
    (body) => {
      const path = detectSelector(body);
      expect(selectRecords(body, parseJsonPath(path.text))).toEqual(selectRecords(body, path));
    },
  );
});

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const target = fc.webUrl({ withQueryParameters: true, withFragments: true });
const links = fc.array(
  fc.record({
    target,
    rels: fc.array(token, { minLength: 1, maxLength: 3 }),
    title: fc.stringMatching(/^[ -!#-~]{0,12}$/),
    isQuoted: fc.boolean(),
  }),
  { maxLength: 6 },
);

describe("a Link header", () => {
  fuzz(
    "a Link header leads to the first link that has the relation",
    3000,
    links,
    (headerLinks) => {
      const header = headerLinks
        .map(({ target, rels, title, isQuoted }) => {
          const rel = rels.length > 1 || isQuoted ? `"${rels.join(" ")}"` : rels[0];
          return `<${target}>; title="${title}"; rel=${rel}`;
        })
        .join(", ");
      for (const rel of ["next", ...headerLinks.flatMap(({ rels }) => rels)]) {
        expect(findLink(header, rel)).toBe(
          headerLinks.find(({ rels }) => rels.includes(rel))?.target,
        );
      }
    },
  );

  const words = [...'<>;,=" \t', "rel", "rel=next", '; rel="next"', "<https://api.example.com/2>"];
  const headers = fc.oneof(
    anyText,
    mutated(['<https://a.b/?page=2>; rel="next", </1>; rel=prev'], words),
    repeated(words),
  );
  fuzz(
    "a Link header of any text leads to a part of the text or to nothing",
    4000,
    headers,
    (header) => {
      const link = findLink(header, "next");
      if (link !== undefined) expect(header).toContain(`<${link}>`);
    },
  );
});

describe("a parent's value", () => {
  const source = rest_api_source({
    client: { base_url: "https://api.example.com" },
    resources: [
      { name: "users", endpoint: "users" },
      { name: "posts", endpoint: "users/{resources.users.id}/posts" },
    ],
  });
  const posts = planSource(source, "forum").resources.find(({ name }) => name === "posts");
  const ids = fc.oneof(
    anyText,
    fc.jsonValue() as fc.Arbitrary<JsonValue>,
    mutated(
      ["../../admin", "..;/admin", "a/b?c=d#e", "%2e%2e", "//evil.example"],
      [..."./\\?#%@:", "%2f"],
    ),
  );
  fuzz("a parent's value stays one segment of the path or is refused", 3000, ids, (id) => {
    let url = "";
    const refusal = refusalOf(() => {
      if (posts) url = fillRequest(posts.request, () => id).url;
    });
    if (refusal) return expect(refusal.code).toMatch(/^extract\.(template|parent_value)$/);
    const { origin, pathname, search, hash } = new URL(url);
    const [root, users, segment = "", last, ...more] = pathname.split("/");
    expect([origin, search, hash]).toEqual(["https://api.example.com", "", ""]);
    expect([root, users, last, ...more]).toEqual(["", "users", "posts"]);
    expect(decodeURIComponent(segment)).toBe(String(id));
  });
});
