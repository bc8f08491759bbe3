import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { planSource } from "@tidetable/core/plan";
import { sources } from "@tidetable/sources";
import { startAws } from "./stand-ins/aws.ts";

export const project = resolve(import.meta.dirname, "../..");
export const names = { app: "tidetable", stage: "smoke" };
export const plans = Object.entries(sources).map(([name, source]) => planSource(source, name));

/** Values that must not appear in anything that a deployment stores or prints. */
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

/** A resource as the state stores it, and as `sst diff --json` prints it. */
export interface Resource {
  urn: string;
  type: string;
  retainOnDelete: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: every type of resource has its own inputs.
  inputs: any;
}

/** Starts an empty account, and the unmodified `sst` for it. */
export async function startAccount() {
  const aws = await startAws();
  const home = await mkdtemp(join(tmpdir(), "tidetable-smoke-"));
  await mkdir(join(home, "sst/bin"), { recursive: true });
  const standIn = join(import.meta.dirname, "stand-ins/pulumi.mjs");
  const command = [process.execPath, standIn, join(project, ".sst/platform")];
  const script = `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`;
  await writeFile(join(home, "sst/bin/pulumi"), script, { mode: 0o755 });

  const env = {
    ...secretValues,
    PATH: process.env.PATH,
    HOME: home,
    XDG_CONFIG_HOME: home,
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL: aws.endpoint,
    // The stand-in is the proxy for other hosts. It refuses and records such requests.
    HTTP_PROXY: aws.endpoint,
    HTTPS_PROXY: aws.endpoint,
    SST_NO_BUN: "1",
    SST_TELEMETRY_DISABLED: "1",
  };

  /** Resolves when `sst` has ended, also after a failure. */
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
    /** The resources in the state after the last deployment. */
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

/** Copies this project without its packages, so that a test can break the copy. */
export async function copyProject(): Promise<string> {
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

/** Reads the files that SST has built for the functions, except for the source maps. */
export async function readBuiltFiles(): Promise<Map<string, Buffer>> {
  const paths = await readdir(artifacts, { recursive: true });
  const files = paths.filter((path) => /\.(mjs|zip|enc)$/.test(path)).sort();
  return new Map(
    await Promise.all(
      files.map(async (path) => [path, await readFile(join(artifacts, path))] as const),
    ),
  );
}

/** Removes the folder of the last build, whose files a new build would not replace. */
export const removeArtifacts = () => rm(artifacts, { recursive: true, force: true });
