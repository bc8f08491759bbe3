import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { guardSecret, recordOutput } from "./canary.ts";

const bin = resolve(import.meta.dirname, "../../packages/cli/bin/tidetable.mjs");

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Parses stdout as the one JSON document that `--json` promises. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of all commands.
  json(): any;
}

function guardAll(members: object): void {
  for (const value of Object.values(members)) if (typeof value === "string") guardSecret(value);
}

/** Opens a folder for the CLI, which runs as a user has it: a real process, real streams, real signals. */
export async function openCliFolder(files: Record<string, unknown> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "tidetable-cli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const put = (name: string, content: unknown) => {
    if (/secret/.test(name)) guardAll(Object(content));
    return writeFile(
      join(folder, name),
      typeof content === "string" ? content : JSON.stringify(content),
      { mode: 0o600 },
    );
  };
  for (const [name, content] of Object.entries(files)) await put(name, content);

  const start = (args: string[], env: Record<string, string> = {}) => {
    guardAll(
      Object.fromEntries(
        Object.entries(env).filter(([name]) => name.startsWith("TIDETABLE_SECRET_")),
      ),
    );
    const { TIDETABLE_SECRET_API_KEY: _, ...inherited } = process.env;
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: folder,
      env: { ...inherited, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out = { stdout: "", stderr: "" };
    child.stdout.on("data", (text) => (out.stdout += text));
    child.stderr.on("data", (text) => (out.stderr += text));
    const ended = new Promise<CommandResult>((done) =>
      child.on("close", (code) => {
        for (const [name, text] of Object.entries(out)) recordOutput(`${name} of a command`, text);
        done({ code, ...out, json: () => JSON.parse(out.stdout) });
      }),
    );
    return { child, ended };
  };
  const cli = (args: string[], env?: Record<string, string>) => start(args, env).ended;
  return { folder, put, start, cli };
}
