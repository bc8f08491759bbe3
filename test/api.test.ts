import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

// docs/api.md lists what is public. A name that comes or goes is a line in a change for somebody to review.

const root = resolve(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs/api.md"), "utf8");

const publicPackages = ["core", "sst", "reader"];

/** The entries of the packages by their specifier, except for what only our own packages import. */
const entries = publicPackages.flatMap((folder) => {
  const manifest = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"));
  return Object.entries<string>(manifest.exports)
    .filter(([path, file]) => file.endsWith(".ts") && !path.startsWith("./internal"))
    .map(([path, file]) => ({
      specifier: manifest.name + path.slice(1),
      file: join(root, "packages", folder, file),
    }));
});

/** The names that a module exports, types included, in the order of the alphabet. */
function exportedNames(files: string[]): string[][] {
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  return files.map((file) => {
    const source = program.getSourceFile(file);
    const symbol = source && checker.getSymbolAtLocation(source);
    return symbol
      ? checker
          .getExportsOfModule(symbol)
          .map(({ name }) => name)
          .sort()
      : [];
  });
}

describe("docs/api.md", () => {
  const names = exportedNames(entries.map(({ file }) => file));

  it("docs/api.md has a list for each public entry, and no other", () => {
    const headings = [...page.matchAll(/^### `(.+)`$/gm)].map(([, specifier]) => specifier);
    expect(headings).toEqual(entries.map(({ specifier }) => specifier));
  });

  it.each(
    entries.map(({ specifier }, index) => [specifier, names[index] ?? []] as const),
  )("docs/api.md lists exactly the names that %s exports", (specifier, exported) => {
    const [, section = ""] = page.split(`\n### \`${specifier}\`\n`);
    const [list = ""] = section.split("\n### ");
    const listed = [...list.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
    expect(exported.length).toBeGreaterThan(0);
    expect(listed, "the public API has changed: is that meant? Then change docs/api.md").toEqual(
      exported,
    );
  });
});
