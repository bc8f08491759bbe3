import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { hugeAnswers } from "./support/hostile-page.ts";

// A worker of 512 MB gives its heap about 400. Each answer has a process of its own.

const script = resolve(import.meta.dirname, "support/hostile-page.ts");

function readInProcess(kind: string): Promise<{ result: string; megabytes: number }> {
  const argv = ["--max-old-space-size=400", "--import", "tsx", script, kind];
  return new Promise((done, fail) => {
    execFile(process.execPath, argv, (error, stdout) =>
      error ? fail(new Error(`${kind}: ${error.signal ?? error.code}`)) : done(JSON.parse(stdout)),
    );
  });
}

describe("a worker of 512 MB", () => {
  it.each(
    Object.keys(hugeAnswers),
  )("survives %s, and names the error without the key", async (kind) => {
    const { result, megabytes } = await readInProcess(kind);
    expect(result).toMatch(/^(extract\.\w+: GET \/rows |extract\.selector: the answer)/);
    expect(result).not.toContain("canary");
    expect(result.length).toBeLessThan(500);
    expect(megabytes).toBeLessThan(512);
  }, 120_000);
});
