import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/*
 * Evaluates the stacks with the real SST components. This file does the work of the `sst` command,
 * and the stand-in of the smoke test the work of Pulumi's engine. Every deploy has a process of its
 * own, because Pulumi keeps its state in globals.
 */

const project = resolve(import.meta.dirname, "../..");
const platform = join(project, ".sst/platform");
const standIn = join(import.meta.dirname, "stand-ins/pulumi.mjs");
const app = "tidetable";

/** The reason why the stacks cannot be evaluated here. Undefined when they have to be. */
export const reasonToSkip =
  existsSync(join(platform, "node_modules")) || process.env.TIDETABLE_INFRA === "1"
    ? undefined
    : "the SST platform is not installed (npm run infra:install)";

if (reasonToSkip) process.stderr.write(`skipped: ${reasonToSkip}\n`);

export interface Resource {
  urn: string;
  type: string;
  protect: boolean;
  retainOnDelete: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: every type of resource has its own inputs.
  inputs: any;
  // biome-ignore lint/suspicious/noExplicitAny: every type of resource has its own outputs.
  outputs: any;
}

export interface Deployed {
  resources: Resource[];
  /** The values that `sst deploy` prints at its end. */
  outputs: Record<string, unknown>;
  errors: string[];
  /** What the deploy did with each resource. */
  steps: { op: "create" | "update" | "replace" | "delete" | "same"; urn: string; type: string }[];
}

/** Files in place of packages/sources and of stacks. */
interface Files {
  sources?: string;
  stacks?: string;
}

/** Opens a stage: an empty one, or one with the resources of an earlier deploy. */
export async function openStage(name: string, before?: unknown[]) {
  const folder = await mkdtemp(join(tmpdir(), "tidetable-stage-"));
  const stack = `organization/${app}/${name}`;
  await runPulumi(folder, ["stack", "init", stack]);
  const statePath = join(folder, ".pulumi/stacks", app, `${name}.json`);
  if (before) {
    await writeFile(statePath, JSON.stringify({ checkpoint: { latest: { resources: before } } }));
  }

  /** Evaluates a deploy, with other files in place of some of the repository's. */
  async function deploy(files: Files = {}): Promise<Deployed> {
    const rpc = await startRpc(folder);
    // SST puts the program there, and its imports are resolved from there.
    const program = join(platform, `sst.config.${randomUUID()}.mjs`);
    const log = join(folder, `${randomUUID()}.log`);
    try {
      await bundleProgram(program, folder, await settingsOf(name), files);
      await writeFile(join(folder, "Pulumi.yaml"), `main: ${program}\n`);
      await writeFile(log, "");
      const options = ["--stack", stack, "--event-log", log];
      await runPulumi(folder, ["up", ...options], { SST_SERVER: rpc.url });
    } finally {
      await rpc.close();
      await rm(program, { force: true });
    }
    const events = (await readFile(log, "utf8")).split("\n").filter(Boolean).map(parseJson);
    const state = parseJson(await readFile(statePath, "utf8"));
    const resources: Resource[] = state.checkpoint.latest.resources;
    const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
    return {
      resources,
      outputs: root?.outputs ?? {},
      errors: events.flatMap(({ diagnosticEvent }) => diagnosticEvent?.message ?? []),
      steps: events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []),
    };
  }

  return { deploy, close: () => rm(folder, { recursive: true }) };
}

const parseJson = (text: string) => JSON.parse(text);

/** The settings of a stage in sst.config.ts, with those that SST adds. */
async function settingsOf(stage: string) {
  Object.assign(globalThis, { $config: (config: unknown) => config });
  const { default: config } = await import(join(project, "sst.config.ts"));
  return { ...config.app({ stage }), stage, providers: { aws: {} } };
}

/** Bundles the program as `sst` does, with its globals in every file that is not part of SST. */
async function bundleProgram(outfile: string, folder: string, settings: object, files: Files) {
  const { build } = createRequire(join(platform, "package.json"))("esbuild");
  const globals = [
    `import * as aws from "@pulumi/aws";`,
    `import * as sst from "${join(platform, "src/components")}";`,
  ].join("");
  const paths = { root: project, work: folder, platform, home: folder };
  await build({
    stdin: {
      contents: `
        import { run } from "${join(platform, "src/auto/run.ts")}";
        import config from "${join(project, "sst.config.ts")}";
        export default await run(config.run);`,
      resolveDir: project,
      loader: "ts",
    },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    mainFields: ["module", "main"],
    nodePaths: [join(platform, "node_modules")],
    external: ["@pulumi/*", "undici", "@aws-sdk/*", "esbuild", "archiver", "glob", "vite"],
    inject: [join(platform, "src/shim/run.js")],
    define: {
      $app: JSON.stringify(settings),
      $cli: JSON.stringify({ command: "deploy", dev: false, paths, state: { version: {} } }),
      $dev: "false",
    },
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    },
    logLevel: "silent",
    plugins: [
      {
        name: "sst",
        // biome-ignore lint/suspicious/noExplicitAny: SST's esbuild brings no types to this project.
        setup({ onResolve, onLoad }: any) {
          const { sources, stacks } = files;
          onResolve({ filter: /^@tidetable\/sources$/ }, ({ importer }: { importer: string }) =>
            sources && importer !== sources ? { path: sources } : undefined,
          );
          onResolve({ filter: /^\.\/stacks$/ }, () => (stacks ? { path: stacks } : undefined));
          onLoad({ filter: /\.ts$/ }, async ({ path }: { path: string }) => {
            if (path.includes("/.sst/")) return undefined;
            return { contents: `${globals}\n${await readFile(path, "utf8")}`, loader: "ts" };
          });
        },
      },
    ],
  });
}

/**
 * Answers the calls of SST's components to the `sst` command. Only the smoke test builds bundles.
 */
async function startRpc(folder: string) {
  const bundle = join(folder, "bundle");
  await mkdir(bundle, { recursive: true });
  await writeFile(join(bundle, "bundle.mjs"), "");
  const answers: Record<string, (args: { handler: string }) => object> = {
    "Provider.Aws.Bootstrap": () => ({ asset: "sst-asset", state: "sst-state" }),
    "Runtime.Build": ({ handler }) => {
      const file = join(project, handler.replace(/\.\w+$/, ".ts"));
      const errors = existsSync(file) ? [] : [`there is no ${file}`];
      return { handler: "bundle.handler", out: bundle, errors, sourcemaps: [] };
    },
  };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, params } = JSON.parse(body);
    const answer = answers[method];
    const reply = answer ? { result: answer(params[0]) } : { error: `rpc: can't find ${method}` };
    response.end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Resolves when Pulumi has ended, also after a failure, which the event log has. */
function runPulumi(folder: string, args: string[], env: Record<string, string> = {}) {
  return new Promise<void>((done) => {
    const options = { cwd: folder, env: { PATH: process.env.PATH, ...env }, timeout: 60_000 };
    execFile(process.execPath, [standIn, platform, ...args], options, () => done());
  });
}
