import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";

// docs/security.md says which test shows what: it is there, under that name.

const root = resolve(import.meta.dirname, "..");
const page = readFileSync(resolve(root, "docs/security.md"), "utf8");
const cited = [...page.matchAll(/`(test\/[^`]+)`: ([^|\n]+) \|$/gm)].map(
  ([, file = "", name = ""]) => ({ file, name }),
);
const rows = page.match(/^\|.*`test\/.*$/gm) ?? [];

it.each(cited)("the test that docs/security.md cites is in $file: $name", ({ file, name }) => {
  const path = resolve(root, file);
  expect(existsSync(path)).toBe(true);
  expect(readFileSync(path, "utf8")).toContain(name);
});

it("each row of docs/security.md that cites a test file cites a test by name", () => {
  expect(cited.length).toBeGreaterThan(20);
  expect(cited).toHaveLength(rows.length);
});
