import type { Sources } from "@tidetable/core";
import {
  ConfigError,
  type Log,
  lambdaWorld,
  localOrigin,
  type Preview,
  previewResource,
  type ResourceRef,
} from "@tidetable/core/internal";
import { type Problem, planSource, type SourcePlan } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import type { Options } from "../base/options.ts";
import {
  createSecretLookup,
  findSecretsFile,
  type SecretFolders,
  type SecretMembers,
  secretVariable,
  updateSecretsFile,
} from "../secrets/local-secrets.ts";
import { createOriginCheck, plainHttpOrigins } from "../secrets/secret-origins.ts";
import { openWaits } from "../session/open-waits.ts";
import { openSession, prepareSession } from "../session/session.ts";
import type { LoadedSource } from "../sources/load-source.ts";
import { LocalFanOut, localContext } from "./local-fan-out.ts";
import type { Runner } from "./runner.ts";

export interface LocalRunner extends Runner {
  /** Reads the first records of a resource and writes nothing. */
  preview(
    request: ResourceRef & { limit: number },
    log: Log,
    signal: AbortSignal,
  ): Promise<Preview>;
  /** Hands an event to the schedule function or to a worker, and returns the answer. */
  deliver(
    event: object,
    how: { toWorker: boolean },
    log: Log,
    signal: AbortSignal,
  ): Promise<unknown>;
}

/** Finds the secret values of a source. */
export type SecretLookup = (source: string, memberNames: string[]) => Promise<SecretMembers>;

/**
 * Opens a runner that calls the functions in this process. All problems with the secrets are thrown
 * at once, before anything is requested or written.
 */
export async function openLocalRunner(
  loadedSources: LoadedSource[],
  options: Pick<Options, "data" | "dynamodb" | "secrets">,
  io: Pick<Io, "env" | "cwd" | "stderr" | "ask">,
  ownLookup?: SecretLookup,
): Promise<LocalRunner> {
  const sources: Sources = Object.fromEntries(
    loadedSources.map(({ name, source }) => [name, source]),
  );
  const plans = loadedSources.map(({ name, source }) => planSource(source, name));
  const folders = { ...options, cwd: io.cwd };
  const lookUpSecret =
    ownLookup ??
    createSecretLookup({
      ...folders,
      env: io.env,
      warn: (line) => io.stderr.write(`${line}\n`),
      checkStored: createOriginCheck(plans, io),
    });
  await requireSecrets(plans, lookUpSecret, folders);
  for (const plan of plans) warnOfPlainHttp(plan, io);
  const session = await openSession({
    ...options,
    readSecret: async (source) => {
      const plan = plans.find(({ name }) => name === source);
      return plan && lookUpSecret(source, plan.secrets);
    },
    findSecretWriter: (source) =>
      plans.some(({ name, rotatesSecret }) => name === source && rotatesSecret)
        ? (members) => updateSecretsFile(source, members, folders)
        : undefined,
  });

  return {
    plans,
    session,
    async run(events, log, signal) {
      await prepareSession(session, plans, log);
      await openWaits(session, plans, events);
      return new LocalFanOut({ sources, plans, session, log, signal }).runToEnd(events);
    },
    check(events, log, signal) {
      const checks = events.map((event) => ({ ...event, check: true }));
      return new LocalFanOut({ sources, plans, session, log, signal }).runToEnd(checks);
    },
    async deliver(event, how, log, signal) {
      await prepareSession(session, plans, log);
      return new LocalFanOut({ sources, plans, session, log, signal }).deliver(event, how);
    },
    preview(request, log, signal) {
      const world = lambdaWorld(localContext("preview"), { log, signal });
      return previewResource(request, { sources, world, localOrigin });
    },
    close: session.close,
  };
}

async function requireSecrets(
  plans: SourcePlan[],
  lookUpSecret: SecretLookup,
  folders: SecretFolders,
): Promise<void> {
  const problems: Problem[] = [];
  for (const { name: source, secrets, rotatesSecret } of plans) {
    const values = await lookUpSecret(source, secrets);
    // The check comes before any request: an answer may already invalidate the old refresh token.
    if (rotatesSecret && !(await findSecretsFile(source, folders))) {
      problems.push(noSecretsFileProblem(source));
    }
    for (const member of secrets) {
      if (values[member]) continue;
      problems.push({
        path: `${source}: secrets.${member}`,
        message: `the secret "${member}" is missing`,
        hint: `put {"${member}": "…"} into .tidetable/secrets/${source}.json, or set ${secretVariable(member)}`,
      });
    }
  }
  if (problems.length === 0) return;
  throw new ConfigError({ code: "secrets.missing", message: "secrets are missing", problems });
}

function warnOfPlainHttp(plan: SourcePlan, { stderr }: Pick<Io, "stderr">): void {
  const origins = plainHttpOrigins(plan, localOrigin(plan.name).override);
  if (origins.length === 0) return;
  stderr.write(
    `warning: ${plan.name}: its credentials go to ${origins.join(" and ")} without encryption: everybody on the way can read them; write https://\n`,
  );
}

const noSecretsFileProblem = (source: string): Problem => ({
  path: `${source}: secrets`,
  message: "a refresh token cannot be kept in an environment variable: the API replaces it",
  hint: `put the secrets into .tidetable/secrets/${source}.json, or name a file with --secrets`,
});
