import { ConfigError } from "../base/errors.ts";
import { Decimal } from "../values/decimal.ts";
import { isObject, type JsonValue } from "../values/json.ts";
import { parseJson } from "../values/parse-json.ts";
import { registerSecret } from "./redact.ts";
import type { SecretValues } from "./reference.ts";

/** The members of a secret, checked or not. */
export type SecretMembers = ReadonlyMap<string, JsonValue>;

/** A secret's identity, for messages. */
export interface SecretLocation {
  id: string;
  /** The command that fills the secret. */
  setCommand: string;
}

/** Reads a secret's text, a JSON object. From now on no output shows one of its values. */
export function parseMembers(text: string, location: SecretLocation): SecretMembers {
  const secret = parseSilently(text);
  if (!isObject(secret)) {
    const message = `the secret ${location.id} is not a JSON object such as {"api_key": "…"}`;
    throw wrongShape(message, location);
  }
  // The values are registered even if a check refuses them later.
  for (const member of Object.values(secret)) registerSecret(String(member));
  return new Map(Object.entries(secret));
}

/** Parses JSON without an error, because an error could quote the secret. */
function parseSilently(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Checks the members that a source names, and reports all faults at once. */
export function checkMembers(
  members: SecretMembers,
  names: readonly string[],
  location: SecretLocation,
): SecretValues {
  const faults = names.flatMap((name) => findFault(name, members) ?? []);
  if (faults.length > 0) throw wrongMembers(faults, location);
  return {
    get: (name) => {
      const fault = findFault(name, members);
      if (fault) throw wrongMembers([fault], location);
      return String(members.get(name));
    },
  };
}

function findFault(name: string, members: SecretMembers): string | undefined {
  const value = members.get(name);
  if (value === undefined) return `"${name}" is missing`;
  if (value === "") return `"${name}" is empty`;
  if (typeof value === "string") return undefined;
  if (Number.isSafeInteger(value)) return undefined;
  const isNumber = ["number", "bigint"].includes(typeof value) || value instanceof Decimal;
  return isNumber ? `"${name}" is a number that needs quotes` : `"${name}" is not a string`;
}

const wrongMembers = (faults: readonly string[], location: SecretLocation): ConfigError =>
  wrongShape(`in the secret ${location.id}, ${faults.join(" and ")}`, location);

const wrongShape = (message: string, { setCommand }: SecretLocation): ConfigError =>
  new ConfigError({ code: "secrets.shape", message, hint: `run: ${setCommand}` });
