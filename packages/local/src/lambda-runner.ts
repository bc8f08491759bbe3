import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, type Sources } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import { type Bundles, bundleFunctions } from "./bundle.ts";
import { follow } from "./follow.ts";
import type { Io } from "./io.ts";
import { openLambdaStage } from "./lambda-stage.ts";
import { localOwner } from "./leases.ts";
import type { Loaded } from "./load-source.ts";
import type { Options } from "./options.ts";
import { openRunner, type Runner, type SecretsOf } from "./runner.ts";
import { prepare } from "./session.ts";

/**
 * A laptop's AWS with the bundles in it that would be deployed, each function in processes of its
 * own. The engine and the secrets are those of `openRunner`.
 */
export async function openLambdaRunner(
  loaded: Loaded[],
  options: Pick<Options, "data" | "dynamodb" | "secrets">,
  io: Pick<Io, "env" | "cwd" | "stderr">,
  secretsOf?: SecretsOf,
): Promise<Runner> {
  requireRegistered(loaded);
  const runner = await openRunner(loaded, options, io, secretsOf);
  const { plans, session } = runner;
  const folder = await mkdtemp(join(tmpdir(), "tidetable-bundles-"));
  let bundles: Bundles | undefined;
  return {
    ...runner,
    async run(events, log, signal) {
      bundles ??= await bundled(folder, io);
      await prepare(session, plans, log);
      const { names } = session;
      // A lease of a worker that was killed is ours to take back: see `releaseDeadLease`.
      const environment = { ...passedOn(process.env), AWS_LAMBDA_LOG_STREAM_NAME: localOwner };
      const stage = await openLambdaStage({ plans, bundles, names, environment, log });
      try {
        return await follow(stage.pipeline, events, { plans, world: session, log, signal });
      } finally {
        await stage.close();
      }
    },
    async close() {
      await runner.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function bundled(folder: string, { stderr }: Pick<Io, "stderr">): Promise<Bundles> {
  const bundles = await bundleFunctions(folder);
  const { schedule, resource } = bundles;
  const [first, second] = [schedule, resource].map((one) => Math.round(one.zippedBytes / 1000));
  stderr.write(
    `bundled as for AWS: schedule ${first} kB, worker ${second} kB zipped; on Node ${process.versions.node} here, on 24 there\n`,
  );
  return bundles;
}

const PASSED_ON =
  /^(AWS_ENDPOINT_URL_(DYNAMODB|SECRETS_MANAGER)|AWS_SDK_JS_NODE_.*|TIDETABLE_ORIGIN_.*)$/;

/** The session's endpoints, and where the sources' requests go instead. Nothing of an account. */
const passedOn = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => PASSED_ON.test(name))) as Record<
    string,
    string
  >;

/** A bundle holds `packages/sources` and nothing else. */
function requireRegistered(loaded: Loaded[]): void {
  const registered: Sources = sources;
  const problems = loaded
    .filter(({ name, source }) => registered[name] !== source)
    .map(({ name }) => ({
      path: name,
      message:
        "--lambda runs registered sources only: what AWS gets is bundled from packages/sources",
      hint: "put its file there and its name into packages/sources/src/index.ts, or leave out --lambda",
    }));
  if (problems.length === 0) return;
  throw new ConfigError({ code: "usage.lambda", message: "it can not run as in AWS", problems });
}
