import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

/*
 * tidetable's names are not on the registry. `npx tidetable` outside of a clone would fetch and run the
 * package of whoever takes the name, and hand it the API keys that are typed at its prompts. With
 * `--no`, npx runs what is installed and nothing else.
 */

const root = resolve(import.meta.dirname, "..");
const runsFromRegistry =
  /\b(?:npx|npm exec|npm create|npm init|bunx|pnpx|(?:pnpm|yarn) dlx)\s+(?!--no\b)(?:-\S+\s+)*@?(?:create-)?tidetable\b/g;
const installs = /\bnpm (?:i|install|add)\b[^\n`"']*\s@?tidetable\b/g;

const findHints = (text: string): string[] =>
  [runsFromRegistry, installs].flatMap((pattern) => text.match(pattern) ?? []);

it.each([
  "npx tidetable run",
  "npx -y tidetable@latest run",
  "npx @tidetable/local",
  "npm create tidetable my-mirror",
  "npm i -D tidetable",
  "npm install @tidetable/core",
])("the hint %j would run or install a package that may not be ours", (text) => {
  expect(findHints(text)).toHaveLength(1);
});

it("no hint, doc or output makes a person run or install a package that may not be ours", () => {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter((file) => /\.(ts|mts|mjs|js|md|json|yml)$/.test(file) && !file.startsWith("notes/"))
    .filter((file) => file !== "test/hints.test.ts" && file !== "package-lock.json");
  expect(files.length).toBeGreaterThan(300);
  const hints = files.flatMap((file) =>
    findHints(readFileSync(join(root, file), "utf8")).map((hint) => `${file}: ${hint}`),
  );
  expect(hints).toEqual([]);
});
