import { randomUUID } from "node:crypto";
import { access, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ConfigError, explain } from "@tidetable/core";
import { learn } from "@tidetable/core/redact";
import { openLoopback } from "./loopback.ts";

/** The members of one source's secret. */
export type SecretMembers = Record<string, string>;

interface Answer {
  status: number;
  body: unknown;
}

interface Backend {
  lookup: (secretId: string) => Promise<SecretMembers | undefined>;
  keeperOf: KeeperOf;
}

/** What writes a secret; undefined for one that no API replaces: as in AWS, nobody may write it. */
export type KeeperOf = (
  secretId: string,
) => ((members: SecretMembers) => Promise<void>) | undefined;

/**
 * What a worker needs of AWS Secrets Manager: GetSecretValue, and PutSecretValue for a source whose
 * API replaces its refresh token. Each call looks the values up anew, so that a file that was
 * changed is a secret that was rotated.
 */
export async function openSecretsEndpoint(
  lookup: Backend["lookup"],
  keeperOf: KeeperOf = () => undefined,
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const { url, close } = await openLoopback(async (request, response) => {
    const { status, body } = await answer(request, { lookup, keeperOf }).catch(failed);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(body));
  });
  return { endpoint: url, close };
}

async function answer(request: IncomingMessage, backend: Backend): Promise<Answer> {
  const body = JSON.parse(await text(request));
  switch (request.headers["x-amz-target"]) {
    case "secretsmanager.GetSecretValue":
      return get(body, backend);
    case "secretsmanager.PutSecretValue":
      return put(body, backend);
    default:
      return refusal(
        "UnknownOperationException",
        "only GetSecretValue and PutSecretValue are served here",
      );
  }
}

async function get(
  { SecretId, VersionStage }: Record<string, string>,
  { lookup }: Backend,
): Promise<Answer> {
  // A deployed worker's policy may allow this stage alone.
  if (VersionStage !== "AWSCURRENT") {
    return refusal("InvalidParameterException", "VersionStage has to be AWSCURRENT");
  }
  const members = await lookup(String(SecretId));
  if (!members) {
    return refusal("ResourceNotFoundException", `there is no secret ${SecretId}`);
  }
  const about = version(String(SecretId), "local");
  return { status: 200, body: { ...about, SecretString: JSON.stringify(members) } };
}

async function put(
  { SecretId, ClientRequestToken, SecretString }: Record<string, string>,
  { keeperOf }: Backend,
): Promise<Answer> {
  const keep = keeperOf(String(SecretId));
  if (!keep) {
    return refusal("AccessDeniedException", `nobody may call PutSecretValue on ${SecretId}`);
  }
  // Secrets Manager takes a token of 32 to 64 characters, by which it knows a call again.
  if (!/^.{32,64}$/.test(String(ClientRequestToken))) {
    return refusal("InvalidParameterException", "ClientRequestToken needs 32 to 64 characters");
  }
  await keep(JSON.parse(String(SecretString)));
  return { status: 200, body: version(String(SecretId), String(ClientRequestToken)) };
}

const version = (id: string, VersionId: string) => ({
  ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${id}`,
  Name: id,
  VersionId,
  VersionStages: ["AWSCURRENT"],
});

function failed(error: unknown): Answer {
  if (error instanceof ConfigError) return refusal("InvalidRequestException", explain(error));
  // Its message may quote what was read.
  return { status: 500, body: { __type: "InternalServiceError", Message: "the lookup failed" } };
}

function refusal(type: string, message: string): Answer {
  return { status: 400, body: { __type: type, Message: message } };
}

export interface SecretPlaces {
  data: string;
  secrets?: string | undefined;
  cwd: string;
}

const filesFor = (source: string, { data, secrets, cwd }: SecretPlaces): string[] =>
  secrets
    ? [secrets]
    : [data, join(cwd, ".tidetable")].map((folder) => join(folder, "secrets", `${source}.json`));

/** The file that a source's values are in; undefined where the environment has them. */
export async function secretsFile(
  source: string,
  places: SecretPlaces,
): Promise<string | undefined> {
  for (const file of filesFor(source, places)) {
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

/**
 * Puts new values of some members into a source's secrets file, whole or not at all, and readable for its
 * owner alone. What else is in it stays as it is.
 */
export async function keepSecrets(
  source: string,
  members: SecretMembers,
  places: SecretPlaces,
): Promise<void> {
  const file = await secretsFile(source, places);
  if (!file) throw unreadable(`${source}.json`, "ENOENT");
  // A link stays one.
  const path = await realpath(file);
  const kept = parsed(await readFile(path, "utf8")) as Record<string, unknown>;
  const changed = Object.entries(members).filter(([name, value]) => String(kept[name]) !== value);
  const content = { ...kept, ...Object.fromEntries(changed) };
  const draft = `${path}.${randomUUID().slice(0, 8)}`;
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(draft, path);
}

/**
 * Finds the values for a source: in the file of `--secrets`, else in `secrets/<source>.json` of the
 * data folder or of `.tidetable/` here, else in the environment (`TIDETABLE_SECRET_API_KEY`). The
 * first of these that is there counts, alone.
 */
export function localSecrets(
  options: SecretPlaces & {
    env: Record<string, string | undefined>;
    warn: (line: string) => void;
  },
): (source: string, names: readonly string[]) => Promise<SecretMembers> {
  const warned = new Set<string>();
  const warnOnce = (file: string) => {
    if (warned.has(file)) return;
    warned.add(file);
    options.warn(`warning: others can read ${file}; run: chmod 600 ${file}`);
  };

  return async (source, names) => {
    for (const file of filesFor(source, options)) {
      const members = await readSecretsFile(file, warnOnce);
      if (members) return members;
    }
    if (options.secrets) throw unreadable(options.secrets, "ENOENT");
    return fromEnvironment(names, options.env);
  };
}

/** The members in a file, when it is there. `onOpen` is told of one that others can read. */
export async function readSecretsFile(
  file: string,
  onOpen: (file: string) => void,
): Promise<SecretMembers | undefined> {
  let content: string;
  try {
    const { mode } = await stat(file);
    content = await readFile(file, "utf8");
    if (process.platform !== "win32" && (mode & 0o077) !== 0) onOpen(file);
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw unreadable(file, code);
  }
  return membersOf(content, file);
}

function unreadable(file: string, code: string): ConfigError {
  return new ConfigError({
    code: "secrets.file",
    message: `the secrets file ${file} can not be read (${code})`,
    hint: 'it holds a JSON object such as {"api_key": "…"}',
  });
}

/** All members that are wrong, at once; none of them is quoted. */
function membersOf(content: string, file: string): SecretMembers {
  const members = parsed(content);
  if (typeof members !== "object" || members === null || Array.isArray(members)) {
    throw wrongShape(`${file} is not a JSON object`);
  }
  const entries = Object.entries(members);
  const faults = entries.flatMap(([name, value]) => faultOf(name, value) ?? []);
  if (faults.length > 0) throw wrongShape(`in ${file}, ${faults.join(" and ")}`);
  return Object.fromEntries(entries.map(([name, value]) => [name, learn(String(value))]));
}

function faultOf(name: string, value: unknown): string | undefined {
  if (typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value !== "number") return `"${name}" is not a text`;
  // Others came out of JSON.parse as another text than the user wrote.
  return Number.isSafeInteger(value) ? undefined : `"${name}" is a number that needs quotes`;
}

// The error of JSON.parse is dropped: it quotes the text.
function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function wrongShape(message: string): ConfigError {
  return new ConfigError({
    code: "secrets.shape",
    message,
    hint: 'write a JSON object of texts such as {"api_key": "…"}',
  });
}

function fromEnvironment(
  names: readonly string[],
  env: Record<string, string | undefined>,
): SecretMembers {
  const members: SecretMembers = {};
  for (const name of names) {
    const value = env[`TIDETABLE_SECRET_${name.toUpperCase().replace(/[.-]/g, "_")}`];
    if (value !== undefined) members[name] = learn(value);
  }
  return members;
}
