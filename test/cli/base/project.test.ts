import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@tidetable/core/internal";
import { afterEach, describe, expect, it } from "vitest";
import { findProject } from "../../../packages/cli/src/base/project.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder with a package.json, and a folder two levels below it. */
function makeProject(manifest: unknown) {
  const folder = mkdtempSync(join(tmpdir(), "tidetable-project-"));
  folders.push(folder);
  const below = join(folder, "src/deep");
  mkdirSync(below, { recursive: true });
  const text = typeof manifest === "string" ? manifest : JSON.stringify(manifest);
  writeFileSync(join(folder, "package.json"), text);
  return { folder, below };
}

function problemsOf(manifest: unknown): string[] {
  const { folder, below } = makeProject(manifest);
  try {
    findProject(below);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message, hint }) =>
      [path.replace(`${folder}/`, ""), message, hint].join(" | "),
    );
  }
  return [];
}

describe("the project of a folder", () => {
  it("a project is found from any folder below it, with the usual files", () => {
    const { folder, below } = makeProject({ tidetable: { app: "shop" } });
    expect(findProject(below)).toEqual({
      folder,
      app: "shop",
      sourcesFile: join(folder, "sources/index.ts"),
      functionFiles: {
        schedule: join(folder, "functions/schedule.ts"),
        worker: join(folder, "functions/worker.ts"),
      },
    });
  });

  it("a project names files of its own", () => {
    const { folder, below } = makeProject({
      tidetable: { app: "shop", sources: "./apis/all.ts", worker: "aws/worker.ts" },
    });
    expect(findProject(below)).toMatchObject({
      sourcesFile: join(folder, "apis/all.ts"),
      functionFiles: { worker: join(folder, "aws/worker.ts") },
    });
  });

  it("the nearest package.json with the member counts, and one without it does not", () => {
    const { folder, below } = makeProject({ tidetable: { app: "outer" } });
    writeFileSync(join(below, "package.json"), JSON.stringify({ name: "tidetable" }));
    expect(findProject(below)?.app).toBe("outer");
    writeFileSync(
      join(folder, "src/package.json"),
      JSON.stringify({ tidetable: { app: "inner" } }),
    );
    expect(findProject(below)?.app).toBe("inner");
  });

  it("a broken package.json that does not speak of tidetable is passed over", () => {
    expect(problemsOf("{ broken")).toEqual([]);
  });

  it.each([
    ['{ "tidetable": ', "package.json | not valid JSON | "],
    [
      { tidetable: "shop" },
      'package.json: tidetable | not an object | write "tidetable": { "app": "shop", "sources": "./sources/index.ts" }',
    ],
    [
      { tidetable: {} },
      "package.json: tidetable.app | the app's name is missing | write the app's name, as in sst.config.ts",
    ],
    [
      { tidetable: { app: "my shop" } },
      'package.json: tidetable.app | "my shop" cannot be an app\'s name | it has letters, digits and dashes, and begins with a letter, as for SST',
    ],
    [
      { tidetable: { app: "shop", source: "x.ts" } },
      "package.json: tidetable.source | there is no such member | did you mean sources?",
    ],
    [
      { tidetable: { app: "shop", sources: 5 } },
      'package.json: tidetable.sources | not a string | write "tidetable": { "app": "shop", "sources": "./sources/index.ts" }',
    ],
  ])("the manifest %j is refused with what to write", (manifest, problem) => {
    expect(problemsOf(manifest)).toEqual([problem]);
  });
});
