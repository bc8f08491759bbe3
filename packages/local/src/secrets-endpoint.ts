import { readFile, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ConfigError, explain } from "@tidetable/core";
import { openLoopback } from "./loopback.ts";

/** The members of one source's secret. */
export type SecretMembers = Record<string, string>;

interface Answer {
  status: number;
  body: unknown;
}

/**
 * What a worker needs of AWS Secrets Manager: GetSecretValue. Each call looks the values up anew,
 * so that a file that was changed is a secret that was rotated.
 */
export async function openSecretsEndpoint(
  lookup: (secretId: string) => Promise<SecretMembers | undefined>,
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const { url, close } = await openLoopback(async (request, response) => {
    const { status, body } = await answer(request, lookup).catch(failed);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(body));
  });
  return { endpoint: url, close };
}

async function answer(
  request: IncomingMessage,
  lookup: (secretId: string) => Promise<SecretMembers | undefined>,
): Promise<Answer> {
  const body = await text(request);
  const target = request.headers["x-amz-target"];
  if (target !== "secretsmanager.GetSecretValue") {
    return refusal("UnknownOperationException", "only GetSecretValue is served here");
  }
  const { SecretId, VersionStage } = JSON.parse(body);
  // A deployed worker's policy may allow this stage alone.
  if (VersionStage !== "AWSCURRENT") {
    return refusal("InvalidParameterException", "VersionStage has to be AWSCURRENT");
  }
  const members = await lookup(SecretId);
  if (!members) {
    return refusal("ResourceNotFoundException", `there is no secret ${SecretId}`);
  }
  return {
    status: 200,
    body: {
      ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${SecretId}`,
      Name: SecretId,
      SecretString: JSON.stringify(members),
      VersionId: "local",
      VersionStages: ["AWSCURRENT"],
    },
  };
}

function failed(error: unknown): Answer {
  if (error instanceof ConfigError) return refusal("InvalidRequestException", explain(error));
  // Its message may quote what was read.
  return { status: 500, body: { __type: "InternalServiceError", Message: "the lookup failed" } };
}

function refusal(type: string, message: string): Answer {
  return { status: 400, body: { __type: type, Message: message } };
}

/**
 * Finds the values for a source: in the file of `--secrets`, else in `secrets/<source>.json` of the
 * data folder or of `.tidetable/` here, else in the environment (`TIDETABLE_SECRET_API_KEY`). The
 * first of these that is there counts, alone.
 */
export function localSecrets(options: {
  data: string;
  secrets?: string | undefined;
  env: Record<string, string | undefined>;
  cwd: string;
  warn: (line: string) => void;
}): (source: string, names: readonly string[]) => Promise<SecretMembers> {
  const warned = new Set<string>();
  const warnOnce = (file: string) => {
    if (warned.has(file)) return;
    warned.add(file);
    options.warn(`warning: others can read ${file}; run: chmod 600 ${file}`);
  };

  return async (source, names) => {
    const usual = [options.data, join(options.cwd, ".tidetable")];
    const files = options.secrets
      ? [options.secrets]
      : usual.map((folder) => join(folder, "secrets", `${source}.json`));
    for (const file of files) {
      const found = await readSecretsFile(file);
      if (!found) continue;
      if (found.open) warnOnce(file);
      return membersOf(found.content, file);
    }
    if (options.secrets) throw unreadable(options.secrets, "ENOENT");
    return fromEnvironment(names, options.env);
  };
}

async function readSecretsFile(
  file: string,
): Promise<{ content: string; open: boolean } | undefined> {
  try {
    const { mode } = await stat(file);
    const open = process.platform !== "win32" && (mode & 0o077) !== 0;
    return { content: await readFile(file, "utf8"), open };
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw unreadable(file, code);
  }
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
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
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
    if (value !== undefined) members[name] = value;
  }
  return members;
}
