import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { main } from "../../packages/cli/src/cli.ts";
import type { Engine } from "./dynamodb.ts";

/** The output of a command, and its exit code. */
interface CommandOutput {
  exit: number;
  stdout: string;
  stderr: string;
}

let folders = 0;

/** Opens a folder with a source of its own, for the CLI in this process and an engine that runs already. */
export async function openCommandFolder(engine: Engine) {
  const folder = await mkdtemp(join(tmpdir(), "tidetable-command-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  folders += 1;
  const name = `shop${folders}`;
  const file = `${name}.json`;

  const source = (dict: object) => writeFile(join(folder, file), JSON.stringify(dict));
  const run = async (argv: string[], columns?: number): Promise<CommandOutput> => {
    const out = { stdout: "", stderr: "" };
    const exit = await main([...argv, "--dynamodb", engine.endpoint], {
      stdout: {
        write: (text) => (out.stdout += text),
        ...(columns === undefined ? {} : { isTTY: true, columns }),
      },
      stderr: { write: (text) => (out.stderr += text) },
      env: { NO_COLOR: "1" },
      cwd: folder,
      signal: new AbortController().signal,
    });
    // The API of a test uses http, which causes a warning.
    const stderr = out.stderr.replace(/^warning: client\.base_url: .*\n/gm, "");
    return { exit, stdout: out.stdout, stderr };
  };
  return { name, file, source, run, read: (path: string) => readFile(join(folder, path), "utf8") };
}
