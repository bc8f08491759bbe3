import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";

const project = resolve(import.meta.dirname, "../..");

/** Reads sst.config.ts with another list of protected stages. */
async function settingsWith(stages: string[], stage: string) {
  const folder = await mkdtemp(join(tmpdir(), "tidetable-config-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const written = await readFile(join(project, "sst.config.ts"), "utf8");
  const list = 'protectedStages = ["production"]';
  expect(written).toContain(list);
  const path = join(folder, "sst.config.ts");
  await writeFile(path, written.replace(list, `protectedStages = ${JSON.stringify(stages)}`));
  Object.assign(globalThis, { $config: (config: unknown) => config });
  const { default: config } = await import(path);
  return config.app({ stage });
}

it.each([
  [["production"], "production", true],
  [["production"], "live", false],
  [["production", "live"], "live", true],
  [["production", "live"], "production", true],
  [["production", "live"], "dev", false],
])("with the protected stages %j, the protection of the stage %s is %s", async (stages, stage, isProtected) => {
  expect(await settingsWith(stages, stage)).toMatchObject({
    protect: isProtected,
    removal: isProtected ? "retain" : "remove",
  });
});

it("no stack asks for the name of a stage to protect its data", async () => {
  for (const file of await readdir(join(project, "stacks"))) {
    const text = await readFile(join(project, "stacks", file), "utf8");
    expect({ file, asks: text.includes('"production"') }).toEqual({ file, asks: false });
  }
});
