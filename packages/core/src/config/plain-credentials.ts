import { Secret } from "../secrets/reference.ts";
import { placeholderNames } from "./templates.ts";
import { type ConfigValue, walkConfig } from "./walk.ts";

/*
 * Credentials that stand in a config as plain text. They work, with a warning, and are hidden in every
 * output.
 */

const authKeys = /^auth\.(token|api_key|password|client_secret|access_token|refresh_token)$/;

const requestKeys = /^(client\.headers|resource\.endpoint\.(headers|params|json|data))\./;

const urlKeys = /^(client\.base_url|resource\.endpoint\.path)$/;

/** Names that stand for a credential, whatever the value looks like. */
const credentialName =
  /^(proxy-)?authorization$|^cookie$|(api|access|auth|private|subscription|app|client)[-_]?(key|token|secret)|refresh[-_]?token|secret|passw|credential|signature|bearer/i;

/** Names that stand for a credential if the value looks like one. */
const doubtfulName = /(key|token|auth|sig|pass|pwd|sid|session|code|hash)$/i;

/** A value that a person would not choose: no word, no date and no name of a field. */
const generatedValue = /^(?=.*\d)(?=.*[a-z])(?!\d{4}-\d\d)[\w.~+/=:-]{12,}$/i;

/** Values of switches, which are no credentials under any name. */
const switchValue = /^(|true|false|yes|no|on|off|none|null|\d{1,4})$/i;

const schemeAndValue = /^(Bearer|Basic|Token|ApiKey|Api-Key|Digest|Key)\s+(\S.*)$/i;

/** Says whether a plain string under a name is a credential. */
export function isPlainCredential(name: string, value: unknown): value is string {
  if (typeof value !== "string" || switchValue.test(value) || hasReference(value)) return false;
  if (credentialName.test(name)) return true;
  return doubtfulName.test(name) && generatedValue.test(value);
}

/** A string that is filled in, and is not written as it stands. */
const hasReference = (text: string): boolean =>
  Secret.fromText(text).names.length > 0 || placeholderNames(text).length > 0;

/** A credential in plain text, with the texts that must not be shown. */
export interface PlainCredential {
  place: ConfigValue;
  texts: string[];
}

/** Finds the plain credentials of an expanded config. */
export function findPlainCredentials(expanded: unknown): PlainCredential[] {
  return [...walkConfig(expanded)].flatMap((place) => {
    const texts = credentialTexts(place);
    return texts.length > 0 ? [{ place, texts }] : [];
  });
}

function credentialTexts({ pattern, keys, value }: ConfigValue): string[] {
  if (typeof value !== "string") return [];
  if (authKeys.test(pattern)) return hasReference(value) || value === "" ? [] : [value];
  if (urlKeys.test(pattern)) return queryCredentials(value);
  const name = keys.findLast((key) => typeof key === "string") ?? "";
  if (!requestKeys.test(pattern) || !isPlainCredential(name, value)) return [];
  return [value, ...partsOf(name, value)];
}

/** The credentials in the query of a URL. */
function queryCredentials(url: string): string[] {
  const [, query = ""] = url.split("?", 2);
  return [...new URLSearchParams(query)].flatMap(([name, value]) =>
    isPlainCredential(name, value) ? [value] : [],
  );
}

/** What APIs repeat of a header: `abc` of `Bearer abc`, and each value of a cookie. */
function partsOf(name: string, value: string): string[] {
  if (/^cookie$/i.test(name)) {
    return value.split(";").map((cookie) => cookie.slice(cookie.indexOf("=") + 1).trim());
  }
  const [, scheme = "", rest] = schemeAndValue.exec(value) ?? [];
  if (rest === undefined) return [];
  if (scheme.toLowerCase() !== "basic") return [rest];
  const pair = Buffer.from(rest, "base64").toString();
  return [rest, pair, pair.slice(pair.indexOf(":") + 1)];
}
