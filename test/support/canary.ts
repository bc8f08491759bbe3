import { appendFileSync } from "node:fs";

/*
 * After every test, the canary searches everything that the test printed, stored or reported for the
 * secrets that the test used. The canary decodes the output before the search. The redactor encodes
 * the secrets instead, so a mistake in one is not repeated in the other.
 */

/** Shorter secrets are hidden in quotes of an API only; see `redact.ts`. */
const SHORTEST = 6;

const secrets = new Set<string>();
const sinks = new Map<string, string[]>();
let isUsed = false;

/** Registers a secret that a test uses. Returns the secret. */
export function guardSecret(value: string): string {
  if (value.length >= SHORTEST) {
    secrets.add(value);
    isUsed = true;
  }
  return value;
}

/** Records output of the engine under the name of its sink. */
export function recordOutput(sink: string, text: string): void {
  sinks.set(sink, [...(sinks.get(sink) ?? []), text]);
}

/** Returns the names of the sinks with a secret since the last call. Planted leaks do not count. */
export function findLeaks({ isPlanted = false } = {}): string[] {
  const leaking = [...sinks]
    .filter(([, texts]) => carriesValue(texts.join("\n"), [...secrets]))
    .map(([sink]) => sink);
  sinks.clear();
  if (isUsed && !isPlanted && process.env.TIDETABLE_CANARY) {
    appendFileSync(
      `${process.env.TIDETABLE_CANARY}/${process.pid}`,
      leaking.length > 0 ? "L" : ".",
    );
  }
  isUsed = false;
  return leaking;
}

/** Says whether a text carries one of the values, in any encoding. */
export function carriesValue(text: string, values: readonly string[]): boolean {
  const hasValue = (decoded: string) => values.some((value) => decoded.includes(value));
  return decodings(text).some((decoded) => hasValue(decoded) || binaries(decoded).some(hasValue));
}

const decoders: ((text: string) => string)[] = [
  (text) =>
    text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) =>
      Buffer.from(bytes.replaceAll("%", ""), "hex").toString(),
    ),
  (text) => text.replaceAll("+", " "),
  (text) =>
    text.replace(/\\u([0-9a-f]{4})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16))),
  (text) => text.replace(/\\(["\\/])/g, "$1").replaceAll("\\n", "\n"),
  (text) =>
    text
      .replace(/&(lt|gt|quot|apos);/g, (_, name) => entities[name] ?? "")
      .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
      .replaceAll("&amp;", "&"),
];
const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'" };

/** Returns a text, and its decodings by up to three steps. */
function decodings(text: string): string[] {
  let texts = new Set([text]);
  for (let round = 0; round < 3; round++) {
    texts = new Set(
      [...texts].flatMap((decoded) => [decoded, ...decoders.map((decode) => decode(decoded))]),
    );
  }
  return [...texts];
}

/** Decodes the base64 and hexadecimal runs of a text, from each of their first characters on. */
function binaries(text: string): string[] {
  const runs = (pattern: RegExp, encoding: "base64" | "hex", offsets: number[]) =>
    (text.match(pattern) ?? []).flatMap((run) =>
      offsets.map((offset) => Buffer.from(run.slice(offset), encoding).toString()),
    );
  return [
    ...runs(/[\w+/-]{8,}/g, "base64", [0, 1, 2, 3]),
    ...runs(/[0-9a-f]{12,}/gi, "hex", [0, 1]),
  ];
}
