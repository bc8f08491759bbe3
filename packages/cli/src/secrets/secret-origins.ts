import { randomUUID } from "node:crypto";
import { mkdir, readFile, realpath, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ConfigError, isLoopback } from "@tidetable/core/internal/config";
import type { ResourcePlan, SourcePlan } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import { type CheckStored, parseJsonSilently, type SecretMembers } from "./local-secrets.ts";

/*
 * A stored credential belongs to the origins that it was set for. Otherwise a config that somebody
 * sends under the name of a known source would take the source's credential to a host of its own.
 */

/** Stands for all servers on this machine, whose ports change. */
const LOOPBACK = "this machine";

/** The origins that get credentials of a source: the API's, the allowed ones, those of tokens. */
export function credentialOrigins(
  { resources }: Pick<SourcePlan, "resources">,
  members: SecretMembers,
): string[] {
  const origins = resources.flatMap(({ auth, request }) => [
    request.origin,
    ...request.allowedOrigins,
    ...tokenOrigins(auth, members),
  ]);
  return [...new Set(origins)];
}

/** The token endpoint's origin. One that is a member of the secret itself is the owner's own word. */
function tokenOrigins(auth: ResourcePlan["auth"], members: SecretMembers): string[] {
  if (!auth || !("accessTokenUrl" in auth)) return [];
  const { accessTokenUrl: url } = auth;
  if (typeof url !== "string" && url.name !== undefined) return [];
  const text = typeof url === "string" ? url : url.reveal({ get: (name) => members[name] ?? "" });
  return URL.canParse(text) ? [new URL(text).origin] : [];
}

/**
 * Finds the origins that get a source's credentials by plain http over a network. `override` is where
 * local mode sends the requests for base_url.
 */
export function plainHttpOrigins(plan: SourcePlan, override: string | undefined): string[] {
  const { resources, secrets } = plan;
  if (secrets.length === 0 && resources.every(({ auth }) => !auth)) return [];
  const apiOrigin = resources[0]?.request.origin;
  return credentialOrigins(plan, {})
    .map((origin) => (origin === apiOrigin ? (override ?? origin) : origin))
    .filter((origin) => /^http:/i.test(origin) && !isLoopback(origin));
}

/** The origins to store. Every address of this machine counts as one origin. */
const storedNames = (origins: readonly string[]): string[] =>
  [...new Set(origins.map((origin) => (isLoopback(origin) ? LOOPBACK : origin)))].sort();

/**
 * Stands beside the folder of the secrets file, which holds credentials and nothing else. Behind a link
 * it is that of the real file: who sends a folder could put a link to somebody's credentials into it,
 * and a list of origins beside the link.
 */
async function originsFile(secretsFile: string): Promise<string> {
  const path = await realpath(secretsFile);
  const isStored =
    basename(dirname(path)) === "secrets" && basename(path) === basename(secretsFile);
  if (!isStored) throw linkError(secretsFile, path);
  return join(dirname(dirname(path)), "origins", basename(path));
}

const linkError = (link: string, path: string): ConfigError =>
  new ConfigError({
    code: "secrets.origin",
    message: `${link} is a link to ${path}, which is no stored secret of this source`,
    hint: "name the file with --secrets if its credentials are meant for this config",
  });

/** The origins that a secrets file is bound to. Undefined for a file that is not bound yet. */
async function readBoundOrigins(secretsFile: string): Promise<string[] | undefined> {
  try {
    const path = await originsFile(secretsFile);
    const origins = parseJsonSilently(await readFile(path, "utf8"));
    // A damaged list permits nothing.
    return Array.isArray(origins) ? origins.map(String) : [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Binds a secrets file to origins, instead of those that it was bound to. */
export async function bindOrigins(secretsFile: string, origins: readonly string[]): Promise<void> {
  const path = await originsFile(secretsFile);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID().slice(0, 8)}`;
  await writeFile(draft, `${JSON.stringify(storedNames(origins))}\n`, { mode: 0o600 });
  await rename(draft, path);
}

/** How the origins of a config fit to those that a secrets file is bound to. */
export async function compareOrigins(
  secretsFile: string,
  origins: readonly string[],
): Promise<{ bound: string[] | undefined; foreign: string[] }> {
  const bound = await readBoundOrigins(secretsFile);
  const foreign = storedNames(origins).filter((origin) => bound && !bound.includes(origin));
  return { bound, foreign };
}

/** Told when a file of an earlier version, or one that was written by hand, is bound. */
export const boundNote = (secretsFile: string, origins: readonly string[]): string =>
  `note: from now on the credentials in ${secretsFile} are sent to ${storedNames(origins).join(" and ")} only`;

/**
 * Creates the check of a command. A file that is not bound yet is bound to the config's origins.
 * Further origins are asked about at the terminal, once, and refused without one.
 */
export function createOriginCheck(
  plans: readonly SourcePlan[],
  { ask, stderr }: Pick<Io, "ask" | "stderr">,
): CheckStored {
  const refused = new Set<string>();
  return async (source, secretsFile, members) => {
    const plan = plans.find(({ name }) => name === source);
    if (!plan || plan.secrets.length === 0) return;
    const origins = credentialOrigins(plan, members);
    const { bound, foreign } = await compareOrigins(secretsFile, origins);
    if (bound === undefined) {
      await bindOrigins(secretsFile, origins);
      stderr.write(`${boundNote(secretsFile, origins)}\n`);
      return;
    }
    if (foreign.length === 0) return;
    const situation = `the credentials in ${secretsFile} were set for ${bound.join(" and ")}, and this config sends them to ${foreign.join(" and ")}`;
    if (ask && !refused.has(source)) {
      const answer = await ask(`${source}: ${situation}. Send them there, too? [y/N] `);
      if (/^y(es)?$/i.test(answer.trim())) {
        return bindOrigins(secretsFile, [...bound, ...origins]);
      }
    }
    refused.add(source);
    throw foreignOriginError(source, situation);
  };
}

function foreignOriginError(source: string, message: string): ConfigError {
  const hint =
    "if that is right, set them for it with `tidetable secrets set` and this config, or name a file with --secrets";
  const problems = [{ path: `${source}: secrets`, message, hint }];
  return new ConfigError({ code: "secrets.origin", message, hint, problems });
}
