import { randomUUID } from "node:crypto";
import { readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "@tidetable/core/internal/config";
import { registerSecret } from "@tidetable/core/internal/redact";

/** The members of a source's secret. */
export type SecretMembers = Record<string, string>;

/** Looks at the stored members of a source before they are sent. Throws if they must not be. */
export type CheckStored = (source: string, file: string, members: SecretMembers) => Promise<void>;

/** The folders and the file where a source's secret values may be. */
export interface SecretFolders {
  /** The data folder. */
  data: string;
  /** The file of `--secrets`. It excludes the folders. */
  secrets?: string | undefined;
  cwd: string;
}

const candidateFiles = (source: string, { data, secrets, cwd }: SecretFolders): string[] =>
  secrets
    ? [secrets]
    : [data, join(cwd, ".tidetable")].map((folder) => join(folder, "secrets", `${source}.json`));

/** The environment variable of a member: `api_key` has `TIDETABLE_SECRET_API_KEY`. */
export const secretVariable = (member: string): string =>
  `TIDETABLE_SECRET_${member.toUpperCase().replace(/[.-]/g, "_")}`;

/**
 * Finds the secret values of a source: in the file of `--secrets`, in `secrets/<source>.json` of the
 * data folder or of `.tidetable/` in the current folder, or in the environment. Only the first
 * existing place counts.
 */
export function createSecretLookup(
  options: SecretFolders & {
    env: Record<string, string | undefined>;
    warn: (line: string) => void;
    /** Looks at a file of the folders before its members are handed out. */
    checkStored?: CheckStored;
  },
): (source: string, memberNames: readonly string[]) => Promise<SecretMembers> {
  const warnedFiles = new Set<string>();
  const warnOnce = (file: string) => {
    if (warnedFiles.has(file)) return;
    warnedFiles.add(file);
    options.warn(`warning: others can read ${file}; run: chmod 600 ${file}`);
  };

  return async (source, memberNames) => {
    for (const file of candidateFiles(source, options)) {
      const members = await readSecretsFile(file, warnOnce);
      if (!members) continue;
      // The file of --secrets is the caller's own word.
      if (!options.secrets) await options.checkStored?.(source, file, members);
      return members;
    }
    if (options.secrets) throw unreadableFileError(options.secrets, "ENOENT");
    return readEnvironment(memberNames, options.env);
  };
}

function readEnvironment(
  memberNames: readonly string[],
  env: Record<string, string | undefined>,
): SecretMembers {
  const members: SecretMembers = {};
  for (const name of memberNames) {
    const value = env[secretVariable(name)];
    if (value !== undefined) members[name] = registerSecret(value);
  }
  return members;
}

/** The path of the file with a source's secret values. Undefined without a file. */
export async function findSecretsFile(
  source: string,
  folders: SecretFolders,
): Promise<string | undefined> {
  for (const file of candidateFiles(source, folders)) {
    const exists = await stat(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return undefined;
}

/**
 * Writes new values of members into a source's secrets file and keeps the remaining members. The
 * file is replaced as a whole, and only the owner can read the new file.
 */
export async function updateSecretsFile(
  source: string,
  members: SecretMembers,
  folders: SecretFolders,
): Promise<void> {
  const file = await findSecretsFile(source, folders);
  if (!file) throw unreadableFileError(`${source}.json`, "ENOENT");
  // The rename below has to replace a link's target, and not the link.
  const path = await realpath(file);
  const present = parseJsonSilently(await readFile(path, "utf8")) as Record<string, unknown>;
  // A number or boolean whose text is the same stays the JSON value that the user wrote.
  const changed = Object.entries(members).filter(([name, value]) => {
    return String(present[name]) !== value;
  });
  const content = { ...present, ...Object.fromEntries(changed) };
  const draft = `${path}.${randomUUID().slice(0, 8)}`;
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(draft, path);
}

/**
 * Reads the members in a file. Undefined when the file does not exist. `onReadableByOthers` is
 * called when further users of the machine can read the file.
 */
export async function readSecretsFile(
  file: string,
  onReadableByOthers: (file: string) => void,
): Promise<SecretMembers | undefined> {
  let content: string;
  try {
    const { mode } = await stat(file);
    content = await readFile(file, "utf8");
    if (process.platform !== "win32" && (mode & 0o077) !== 0) onReadableByOthers(file);
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw unreadableFileError(file, code);
  }
  return parseMembers(content, file);
}

/** Names every invalid member at once and quotes no value. */
function parseMembers(content: string, file: string): SecretMembers {
  const members = parseJsonSilently(content);
  if (typeof members !== "object" || members === null || Array.isArray(members)) {
    throw wrongShapeError(`${file} is not a JSON object`);
  }
  const entries = Object.entries(members);
  const faults = entries.flatMap(([name, value]) => memberFault(name, value) ?? []);
  if (faults.length > 0) throw wrongShapeError(`in ${file}, ${faults.join(" and ")}`);
  return Object.fromEntries(entries.map(([name, value]) => [name, registerSecret(String(value))]));
}

function memberFault(name: string, value: unknown): string | undefined {
  if (typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value !== "number") return `"${name}" is not a string`;
  // JSON.parse has rounded an unsafe integer or rewritten a fraction, so the user's digits are lost.
  return Number.isSafeInteger(value) ? undefined : `"${name}" is a number that needs quotes`;
}

/** Parses JSON. Drops the error of JSON.parse, because its message quotes the text. */
export function parseJsonSilently(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function unreadableFileError(file: string, code: string): ConfigError {
  return new ConfigError({
    code: "secrets.file",
    message: `the secrets file ${file} cannot be read (${code})`,
    hint: 'it holds a JSON object such as {"api_key": "…"}',
  });
}

function wrongShapeError(message: string): ConfigError {
  return new ConfigError({
    code: "secrets.shape",
    message,
    hint: 'write a JSON object of strings such as {"api_key": "…"}',
  });
}
