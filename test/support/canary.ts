import { appendFileSync } from "node:fs";

/*
 * After every test: is a secret that it used in anything that it printed, stored or reported? What
 * is searched is decoded first, in every way that comes to mind; the redactor encodes instead, and
 * so neither repeats the other's mistakes.
 */

/** Shorter ones are hidden in the words of APIs only: see `redact.ts`. */
const SHORTEST = 6;

const secrets = new Set<string>();
const sinks = new Map<string, string[]>();
let isUsed = false;

/** A secret that a test works with. Returns it. */
export function guarded(value: string): string {
  if (value.length >= SHORTEST) {
    secrets.add(value);
    isUsed = true;
  }
  return value;
}

/** Something that leaves the engine, by the name of the way out. */
export function leaves(sink: string, text: string): void {
  sinks.set(sink, [...(sinks.get(sink) ?? []), text]);
}

/** The sinks that a secret came out of since the last call, by name. Planted ones do not count. */
export function leaks({ isPlanted = false } = {}): string[] {
  const found = [...sinks]
    .filter(([, texts]) => carries(texts.join("\n"), [...secrets]))
    .map(([sink]) => sink);
  sinks.clear();
  if (isUsed && !isPlanted && process.env.TIDETABLE_CANARY) {
    appendFileSync(`${process.env.TIDETABLE_CANARY}/${process.pid}`, found.length > 0 ? "L" : ".");
  }
  isUsed = false;
  return found;
}

/** Whether one of the values is in a text, in any encoding. */
export function carries(text: string, values: readonly string[]): boolean {
  const found = (one: string) => values.some((value) => one.includes(value));
  return decodings(text).some((one) => found(one) || binaries(one).some(found));
}

const rewritings: ((text: string) => string)[] = [
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

/** A text, and what it becomes by up to three rewritings. */
function decodings(text: string): string[] {
  let all = new Set([text]);
  for (let round = 0; round < 3; round++) {
    all = new Set([...all].flatMap((one) => [one, ...rewritings.map((rewrite) => rewrite(one))]));
  }
  return [...all];
}

/** What base64 and hexadecimal runs in a text stand for, begun at each of their characters' places. */
function binaries(text: string): string[] {
  const runs = (pattern: RegExp, encoding: "base64" | "hex", places: number[]) =>
    (text.match(pattern) ?? []).flatMap((run) =>
      places.map((place) => Buffer.from(run.slice(place), encoding).toString()),
    );
  return [
    ...runs(/[\w+/-]{8,}/g, "base64", [0, 1, 2, 3]),
    ...runs(/[0-9a-f]{12,}/gi, "hex", [0, 1]),
  ];
}
