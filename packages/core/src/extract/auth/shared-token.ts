import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { isObject } from "../../values/json.ts";
import { parseJson } from "../../values/parse-json.ts";

/*
 * An access token for the other workers of a source. It stands next to their lock in the state table,
 * encrypted by the refresh token that came with it: who may read the secret can read it, and nobody
 * else. A person who sets another refresh token makes it unreadable, and so invalid.
 */

export interface SharedToken {
  value: string;
  /** Epoch milliseconds. */
  validUntil: number;
}

const CIPHER = "aes-256-gcm";
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The salt makes every key a new one, so no nonce is used twice with a key. */
const keyOf = (refreshToken: string, salt: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", refreshToken, salt, "tidetable access token", 32));

export function sealToken(token: SharedToken, refreshToken: string): string {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(refreshToken, salt), nonce);
  const sealed = [cipher.update(JSON.stringify(token)), cipher.final()];
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), ...sealed]).toString("base64");
}

/** Undefined where the text was sealed by another refresh token, or is none. */
export function openToken(text: string, refreshToken: string): SharedToken | undefined {
  const bytes = Buffer.from(text, "base64");
  const [nonceStart, tagStart] = [SALT_BYTES, SALT_BYTES + NONCE_BYTES];
  const sealedStart = tagStart + TAG_BYTES;
  try {
    const key = keyOf(refreshToken, bytes.subarray(0, nonceStart));
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(nonceStart, tagStart));
    decipher.setAuthTag(bytes.subarray(tagStart, sealedStart));
    const opened = Buffer.concat([decipher.update(bytes.subarray(sealedStart)), decipher.final()]);
    const token = parseJson(opened.toString());
    if (!isObject(token)) return undefined;
    const { value, validUntil } = token;
    const isToken = typeof value === "string" && typeof validUntil === "number";
    return isToken ? { value, validUntil } : undefined;
  } catch {
    return undefined;
  }
}
