import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { planSource } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import { startAws } from "./stand-ins/aws.ts";

export const project = resolve(import.meta.dirname, "../..");
export const names = { app: "tidetable", stage: "smoke" };
export const plans = Object.entries(sources).map(([name, source]) => planSource(source, name));

/** Values that have no business in anything that a deployment leaves somewhere. */
export const secretValues = {
  AWS_ACCESS_KEY_ID: "AKIASMOKESMOKESMOKE1",
  AWS_SECRET_ACCESS_KEY: "smoke-secret-access-key",
  AWS_SESSION_TOKEN: "smoke-session-token",
  ...Object.fromEntries(
    plans
      .flatMap(({ secrets }) => secrets)
      .map((name) => [`TIDETABLE_SECRET_${name.toUpperCase()}`, `smoke-value-of-${name}`]),
  ),
};

/** As the state keeps it, and as `sst diff --json` prints it. */
export interface Resource {
  urn: string;
  type: string;
  retainOnDelete: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: what each type of resource takes is its own.
  inputs: any;
}

/** An account in which nothing is deployed yet, and the unmodified `sst` that works on it. */
export async function startAccount() {
  const aws = await startAws();
  const home = await mkdtemp(join(tmpdir(), "tidetable-smoke-"));
  await mkdir(join(home, "sst/bin"), { recursive: true });
  const standIn = join(import.meta.dirname, "stand-ins/pulumi.mjs");
  const words = [process.execPath, standIn, join(project, ".sst/platform")];
  const script = `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(" ")} "$@"\n`;
  await writeFile(join(home, "sst/bin/pulumi"), script, { mode: 0o755 });

  const env = {
    ...secretValues,
    PATH: process.env.PATH,
    HOME: home,
    XDG_CONFIG_HOME: home,
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL: aws.endpoint,
    // Whoever wants to leave this machine asks the stand-in, which says no and remembers.
    HTTP_PROXY: aws.endpoint,
    HTTPS_PROXY: aws.endpoint,
    SST_NO_BUN: "1",
    SST_TELEMETRY_DISABLED: "1",
  };

  /** Resolves when `sst` has ended, whatever it ended with. */
  const sst = (args: string[], { stage = names.stage, cwd = project } = {}) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
      const command = [join(project, "node_modules/sst/bin/sst.mjs"), ...args, "--stage", stage];
      const limits = { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 };
      execFile(process.execPath, command, { cwd, env, ...limits }, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
      );
    });

  return {
    aws,
    sst,
    /** What the last deployment left in the state. */
    async deployed(): Promise<Resource[]> {
      const state = aws.objects.get(`/sst-state/app/${names.app}/${names.stage}.json`);
      return JSON.parse(String(state)).checkpoint.latest.resources;
    },
    async close() {
      await aws.close();
      await rm(home, { recursive: true });
    },
  };
}

/** A copy of this project to break something in; its packages are the real ones. */
export async function projectCopy(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "tidetable-smoke-project-"));
  for (const path of ["sst.config.ts", "package.json", "stacks", "functions"]) {
    await cp(join(project, path), join(copy, path), { recursive: true });
  }
  await mkdir(join(copy, ".sst"));
  await cp(join(project, ".sst/provider-lock.json"), join(copy, ".sst/provider-lock.json"));
  for (const path of ["node_modules", "packages", ".sst/platform"]) {
    await symlink(join(project, path), join(copy, path));
  }
  return copy;
}

const artifacts = join(project, ".sst/artifacts");

/** Every file that SST built for the functions, except the source maps. */
export async function builtFiles(): Promise<Map<string, Buffer>> {
  const paths = await readdir(artifacts, { recursive: true });
  const files = paths.filter((path) => /\.(mjs|zip|enc)$/.test(path)).sort();
  return new Map(
    await Promise.all(
      files.map(async (path) => [path, await readFile(join(artifacts, path))] as const),
    ),
  );
}

/** The folder of this project's last build, which an older one would otherwise hide in. */
export const removeArtifacts = () => rm(artifacts, { recursive: true, force: true });
