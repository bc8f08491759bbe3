import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@tidetable/core/internal/config";
import type { Io } from "../base/io.ts";
import type { Options } from "../base/options.ts";
import { currentProject, type Project } from "../base/project.ts";
import { localLeaseOwner } from "../session/dead-leases.ts";
import { openWaits } from "../session/open-waits.ts";
import { prepareSession } from "../session/session.ts";
import type { LoadedSource } from "../sources/load-source.ts";
import { loadProjectSources } from "../sources/registered-sources.ts";
import { followRuns } from "./follow.ts";
import { bundleFunctions, type FunctionBundles } from "./function-bundles.ts";
import { openLambdaStage } from "./lambda-stage.ts";
import { openLocalRunner, type SecretLookup } from "./local-runner.ts";
import type { Runner } from "./runner.ts";

/**
 * Opens a runner for the bundles of a deployment, with processes for each function. Engine and
 * secrets are those of the local runner.
 */
export async function openLambdaRunner(
  loadedSources: LoadedSource[],
  options: Pick<Options, "data" | "dynamodb" | "secrets">,
  io: Pick<Io, "env" | "cwd" | "stderr" | "ask" | "prepareTypeScript">,
  lookUpSecret?: SecretLookup,
): Promise<Runner> {
  const project = await requireRegistered(loadedSources, io);
  const localRunner = await openLocalRunner(loadedSources, options, io, lookUpSecret);
  const { plans, session } = localRunner;
  const folder = await mkdtemp(join(tmpdir(), "tidetable-bundles-"));
  let bundles: FunctionBundles | undefined;
  return {
    ...localRunner,
    async run(events, log, signal) {
      bundles ??= await buildBundles(project, folder, io);
      await prepareSession(session, plans, log);
      await openWaits(session, plans, events);
      const { names } = session;
      // A log stream named like this process lets the next run release the lease of a killed worker.
      const environment = {
        ...session.environment,
        ...inheritedEnvironment(process.env),
        AWS_LAMBDA_LOG_STREAM_NAME: localLeaseOwner,
      };
      const stage = await openLambdaStage({ plans, bundles, names, environment, log });
      try {
        return await followRuns(stage.pipeline, events, { plans, world: session, log, signal });
      } finally {
        await stage.close();
      }
    },
    async close() {
      await localRunner.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function buildBundles(
  project: Project,
  folder: string,
  { stderr }: Pick<Io, "stderr">,
): Promise<FunctionBundles> {
  const bundles = await bundleFunctions(project, folder);
  const kilobytes = (bytes: number) => Math.round(bytes / 1000);
  const { schedule, worker } = bundles;
  stderr.write(
    `bundled as for AWS: schedule ${kilobytes(schedule.zippedBytes)} kB, worker ${kilobytes(worker.zippedBytes)} kB zipped; on Node ${process.versions.node} here, on 24 there\n`,
  );
  return bundles;
}

const inheritedVariable =
  /^(AWS_ENDPOINT_URL_SECRETS_MANAGER|AWS_SDK_JS_NODE_.*|TIDETABLE_ORIGIN_.*)$/;

/** The session's secrets and the sources' origins. Variables of an AWS account stay out. */
const inheritedEnvironment = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => inheritedVariable.test(name)),
  ) as Record<string, string>;

/** Refuses sources from files: a bundle contains only what the project registers. */
async function requireRegistered(
  loadedSources: LoadedSource[],
  io: Pick<Io, "cwd" | "prepareTypeScript">,
): Promise<Project> {
  const project = currentProject(io.cwd);
  const registered = project ? await loadProjectSources(project, io) : {};
  const problems = loadedSources
    .filter(({ name, source }) => registered[name] !== source)
    .map(({ name }) => ({
      path: name,
      message:
        "--lambda runs registered sources only: what AWS gets is bundled from the project's functions",
      hint: "register it (`npx --no tidetable add` does), or leave out --lambda",
    }));
  if (project && problems.length === 0) return project;
  throw new ConfigError({ code: "usage.lambda", message: "it cannot run as in AWS", problems });
}
