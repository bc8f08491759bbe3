import { ConfigError, isObject, type Problem, planSource, spellingHint } from "@tidetable/core";
import { registerSecret } from "@tidetable/core/redact";
import type { Io } from "../base/io.ts";
import type { Context } from "../base/options.ts";
import { openDeployedSecret, openLocalSecret } from "../secrets/secret-homes.ts";
import type { SecretMembers } from "../secrets/secrets-endpoint.ts";
import { loadSources } from "../sources/load-source.ts";

/** What `secrets set --json` prints. */
interface SetDocument {
  status: "succeeded";
  source: string;
  /** The file, or the secret's name in AWS. */
  place: string;
  /** The members that have a new value, and those that kept theirs. */
  set: string[];
  kept: string[];
}

/**
 * `secrets set SOURCE`: asks for each credential that the source refers to. No value is an argument,
 * which other processes could see, and none is printed.
 */
export async function setSecrets({ args, options, io }: Context): Promise<number> {
  const [loaded] = await loadSources(args, options, io);
  if (!loaded) throw new Error("no source was loaded");
  const { name: source, secrets } = planSource(loaded.source, loaded.name);
  const { stage } = options;
  const warn = (line: string) => void io.stderr.write(`warning: ${line}\n`);
  const home =
    stage === undefined
      ? openLocalSecret(source, options)
      : openDeployedSecret(source, stage, warn);
  const document: SetDocument = {
    status: "succeeded",
    source,
    place: home.place,
    set: [],
    kept: [],
  };
  try {
    if (secrets.length > 0) {
      const present = await home.read();
      const given = io.ask ? await asked(secrets, present, io) : await piped(secrets, io);
      if (io.signal.aborted) return 130;
      const members = { ...present, ...given };
      requireAll(secrets, members);
      document.set = Object.keys(given);
      document.kept = secrets.filter((name) => !(name in given));
      if (document.set.length > 0) await home.write(members);
    }
  } finally {
    home.close();
  }
  io.stdout.write(options.json ? `${JSON.stringify(document)}\n` : text(document, secrets));
  return 0;
}

/** At the terminal. What is left empty stays as it is. */
async function asked(
  names: readonly string[],
  present: SecretMembers,
  { ask, signal }: Pick<Io, "ask" | "signal">,
): Promise<SecretMembers> {
  const given: SecretMembers = {};
  for (const name of names) {
    const keep = present[name] ? " (Enter keeps the present one)" : "";
    const value = await ask?.(`${name}${keep}: `, { hidden: true });
    if (signal.aborted) break;
    if (value) given[name] = registerSecret(value);
  }
  return given;
}

/** From a script: a JSON object on standard input. */
async function piped(
  names: readonly string[],
  { input }: Pick<Io, "input">,
): Promise<SecretMembers> {
  if (!input) {
    throw invalid([
      {
        path: "command line",
        message: "there is no terminal to ask at",
        hint: 'pipe a JSON object such as {"api_key": "…"} into it',
      },
    ]);
  }
  const value = parsed(await input());
  if (!isObject(value)) {
    const hint = 'it is asked for at a terminal, else it has to be piped in: {"api_key": "…"}';
    throw invalid([
      { path: "standard input", message: "there is no JSON object of secret values", hint },
    ]);
  }
  const members = Object.entries(value);
  for (const [, one] of members) registerSecret(String(one));
  const problems = members.flatMap(([name, one]) => faultOf(name, one, names) ?? []);
  if (problems.length > 0) throw invalid(problems);
  return Object.fromEntries(members) as SecretMembers;
}

// The error of JSON.parse is dropped: it quotes the text.
function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function faultOf(name: string, value: unknown, names: readonly string[]): Problem | undefined {
  const path = `secrets.${name}`;
  if (!names.includes(name)) {
    const hint = spellingHint(name, names) ?? `it refers to ${names.join(", ")}`;
    return { path, message: "the source does not refer to it", hint };
  }
  if (typeof value !== "string") return { path, message: "it is not a text", hint: "quote it" };
  return value === "" ? { path, message: "it is empty" } : undefined;
}

function requireAll(names: readonly string[], members: SecretMembers): void {
  const problems = names
    .filter((name) => !members[name])
    .map((name) => ({ path: `secrets.${name}`, message: "it has no value yet, and needs one" }));
  if (problems.length > 0) throw invalid(problems);
}

const invalid = (problems: Problem[]) =>
  new ConfigError({ code: "secrets.shape", message: "the secret was not changed", problems });

function text({ source, place, set, kept }: SetDocument, names: readonly string[]): string {
  if (names.length === 0) return `${source} refers to no secrets: there is nothing to set\n`;
  if (set.length === 0) return `${place}: nothing changed\n`;
  const rest = kept.length > 0 ? `; ${kept.join(", ")} kept` : "";
  return `${place}: ${set.join(", ")} set${rest}\n`;
}
