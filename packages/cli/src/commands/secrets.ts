import { ConfigError, spellingHint } from "@tidetable/core/internal/config";
import { registerSecret } from "@tidetable/core/internal/redact";
import { type Problem, planSource } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import { deployedNames } from "../base/names.ts";
import type { Context } from "../base/options.ts";
import { parseJsonSilently, type SecretMembers } from "../secrets/local-secrets.ts";
import { openDeployedSecret, openLocalSecret } from "../secrets/writable-secret.ts";
import { loadSources } from "../sources/load-source.ts";

/** The document of `secrets set --json`. */
interface SetDocument {
  status: "succeeded";
  source: string;
  /** The file, or the secret's name in AWS. */
  place: string;
  /** The members that have a new value. */
  set: string[];
  /** The members that kept their value. */
  kept: string[];
}

/**
 * `secrets set SOURCE`: asks for each credential in the source's config. Values are never
 * arguments, because other processes can see arguments, and never printed.
 */
export async function setSecrets({ args, options, io }: Context): Promise<number> {
  const [loadedSource] = await loadSources(args, options, io);
  if (!loadedSource) throw new Error("no source was loaded");
  const plan = planSource(loadedSource.source, loadedSource.name);
  const { name: source, secrets: names } = plan;
  const { stage } = options;
  const warn = (line: string) => void io.stderr.write(`warning: ${line}\n`);
  const secret =
    stage === undefined
      ? openLocalSecret(plan, options, (line) => io.stderr.write(`${line}\n`))
      : openDeployedSecret(source, deployedNames(options, stage), warn);
  const document: SetDocument = {
    status: "succeeded",
    source,
    place: secret.place,
    set: [],
    kept: [],
  };
  try {
    if (names.length > 0) {
      const present = await secret.read();
      const entered = io.ask
        ? await askForMembers(names, present, io)
        : await readPipedMembers(names, io);
      if (io.signal.aborted) return 130;
      const members = { ...present, ...entered };
      requireAllMembers(names, members);
      document.set = Object.keys(entered);
      document.kept = names.filter((name) => !(name in entered));
      if (document.set.length > 0) await secret.write(members);
    }
  } finally {
    secret.close();
  }
  io.stdout.write(options.json ? `${JSON.stringify(document)}\n` : resultText(document, names));
  return 0;
}

/** Asks at the terminal. An empty answer keeps the present value. */
async function askForMembers(
  names: readonly string[],
  present: SecretMembers,
  { ask, signal }: Pick<Io, "ask" | "signal">,
): Promise<SecretMembers> {
  const entered: SecretMembers = {};
  for (const name of names) {
    const note = present[name] ? " (Enter keeps the present value)" : "";
    const value = await ask?.(`${name}${note}: `, { hidden: true });
    if (signal.aborted) break;
    if (value) entered[name] = registerSecret(value);
  }
  return entered;
}

/** Reads a JSON object from standard input, for scripts. */
async function readPipedMembers(
  names: readonly string[],
  { input }: Pick<Io, "input">,
): Promise<SecretMembers> {
  if (!input) {
    throw secretsError([
      {
        path: "command line",
        message: "there is no terminal to ask at",
        hint: 'pipe a JSON object such as {"api_key": "…"} into it',
      },
    ]);
  }
  const value = parseJsonSilently(await input());
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const hint = 'at a terminal it is asked for; otherwise pipe it in: {"api_key": "…"}';
    throw secretsError([
      { path: "standard input", message: "there is no JSON object of secret values", hint },
    ]);
  }
  const members = Object.entries(value);
  for (const [, member] of members) registerSecret(String(member));
  const problems = members.flatMap(([name, member]) => memberProblem(name, member, names) ?? []);
  if (problems.length > 0) throw secretsError(problems);
  return Object.fromEntries(members) as SecretMembers;
}

function memberProblem(
  name: string,
  value: unknown,
  names: readonly string[],
): Problem | undefined {
  const path = `secrets.${name}`;
  if (!names.includes(name)) {
    const hint = spellingHint(name, names) ?? `it refers to ${names.join(", ")}`;
    return { path, message: "the source does not refer to it", hint };
  }
  if (typeof value !== "string") return { path, message: "it is not a string", hint: "quote it" };
  return value === "" ? { path, message: "it is empty" } : undefined;
}

function requireAllMembers(names: readonly string[], members: SecretMembers): void {
  const problems = names
    .filter((name) => !members[name])
    .map((name) => ({ path: `secrets.${name}`, message: "it has no value yet, and needs one" }));
  if (problems.length > 0) throw secretsError(problems);
}

const secretsError = (problems: Problem[]) =>
  new ConfigError({ code: "secrets.shape", message: "the secret was not changed", problems });

function resultText({ source, place, set, kept }: SetDocument, names: readonly string[]): string {
  if (names.length === 0) return `${source} refers to no secrets: there is nothing to set\n`;
  if (set.length === 0) return `${place}: nothing changed\n`;
  const keptNote = kept.length > 0 ? `; ${kept.join(", ")} kept` : "";
  return `${place}: ${set.join(", ")} set${keptNote}\n`;
}
