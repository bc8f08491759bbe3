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
    async deployed(app = names.app): Promise<Resource[]> {
      const state = aws.objects.get(`/sst-state/app/${app}/${names.stage}.json`);
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

/** An SST app outside of the repository, with a function of its own and the packed packages. */
const installedApp = {
  "package.json": JSON.stringify({
    name: "shop",
    private: true,
    type: "module",
    tidetable: { app: "shop", sources: "./sources/index.ts" },
  }),
  "sst.config.ts": `/// <reference path="./.sst/platform/config.d.ts" />
export default $config({
  app: () => ({ name: "shop", home: "aws", removal: "remove" }),
  async run() {
    const { Tidetable } = await import("@tidetable/sst");
    const { sources } = await import("./sources");
    const mirror = new Tidetable("Mirror", {
      sources,
      worker: "functions/worker.handler",
      schedule: "functions/schedule.handler",
    });
    new sst.aws.Function("Reader", { handler: "functions/reader.handler", link: [mirror] });
    return { tables: mirror.tables };
  },
});
`,
  "sources/index.ts": `import { register, rest_api_source } from "@tidetable/core";

export const crm = rest_api_source({
  client: { base_url: "https://api.acme-crm.io/v2" },
  resource_defaults: { primary_key: "id", write_disposition: "merge" },
  resources: ["contacts", "deals"],
});

export const sources = register({ crm });
`,
  "functions/worker.ts": `import { worker } from "@tidetable/core/lambda";
import { sources } from "../sources";

export const handler = worker({ sources });
`,
  "functions/schedule.ts": `import { scheduler } from "@tidetable/core/lambda";
import { sources } from "../sources";

export const handler = scheduler({ sources });
`,
  "functions/reader.ts": `import { table } from "@tidetable/reader";
import { sources } from "../sources";

export const handler = async () => table(sources.crm, "deals").name;
`,
};

/** Writes the app, and installs the packages from their tarballs. */
export async function createInstalledApp(): Promise<string> {
  const app = await mkdtemp(join(tmpdir(), "tidetable-smoke-app-"));
  const packed = join(app, "packed");
  await run(process.execPath, [join(project, "scripts/pack.mjs"), packed], project);
  for (const [path, text] of Object.entries(installedApp)) {
    await mkdir(join(app, path, ".."), { recursive: true });
    await writeFile(join(app, path), text);
  }
  const tarballs = (await readdir(packed)).filter((name) => /^tidetable-[a-z].*\.tgz$/.test(name));
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  await run("npm", ["install", ...flags, ...tarballs.map((name) => join(packed, name))], app);
  await symlink(join(project, "node_modules/sst"), join(app, "node_modules/sst"));
  await mkdir(join(app, ".sst"));
  await cp(join(project, ".sst/provider-lock.json"), join(app, ".sst/provider-lock.json"));
  await symlink(join(project, ".sst/platform"), join(app, ".sst/platform"));
  return app;
}

const run = (command: string, args: string[], cwd: string) =>
  new Promise<void>((done, fail) => {
    const limits = { timeout: 180_000, maxBuffer: 64 * 1024 * 1024 };
    execFile(command, args, { cwd, ...limits }, (error, stdout, stderr) =>
      error ? fail(new Error(`${command} ${args[0]}: ${stdout}${stderr}`)) : done(),
    );
  });

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
