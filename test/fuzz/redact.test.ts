import { describe, expect, it } from "vitest";
import {
  hideSecrets,
  openRedactor,
  registerSecret,
} from "../../packages/core/src/secrets/redact.ts";
import { carriesValue } from "../support/canary.ts";
import { encodingNames, encodings, seededRandom } from "../support/encodings.ts";
import { anyText, fuzz } from "../support/fuzz.ts";

// Secrets in compositions of encodings. TIDETABLE_FUZZ=100 tries ten million inputs.

const inputs = 100_000 * Number(process.env.TIDETABLE_FUZZ ?? 1);

/** Each composition of two encodings is tried as often, whatever chance leaves out. */
const PER_PAIR = 10;

const random = seededRandom(20_260_101);
const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;

const letters = [..."abcdefghijkmnopqrstuvwxyzABCXYZ0189"];
const characters = [...letters, ...letters, ..."-._~+/=!$&'()*,;:@%\"<>\\ #?|{}[]^`éß😀"];
const textOf = (length: number) => Array.from({ length }, () => pick(characters)).join("");

/** The number of secrets that a container meets is small. */
const secrets = Array.from({ length: 25 }, () => textOf(20 + random(25)));
for (const value of secrets) registerSecret(value);

const around = [
  "",
  " ",
  "key=",
  '{"key":"',
  "&",
  ">",
  "\n",
  ": ",
  "abc",
  "x",
  "?token=",
  "Bearer ",
];

/** Up to three encodings, the innermost first. */
const composition = () => [
  pick(encodingNames),
  ...(random(2) === 0 ? [pick(encodingNames)] : []),
  ...(random(6) === 0 ? [pick(encodingNames)] : []),
];

interface PlantedText {
  secret: string;
  names: string[];
  before: string;
  form: string;
  after: string;
}

function plantSecret(names: string[]): PlantedText {
  const secret = pick(secrets);
  const form = names.reduce((text, name) => encodings[name]?.(text, random) ?? text, secret);
  return { secret, names, before: pick(around), form, after: pick(around) };
}

/** What cannot be searched within the limits is dropped, which has to stay rare. */
const isDropped = (output: string) => output.startsWith("[not shown");

/** Besides the secret, base64 encodes a few bytes of its surroundings, and they stay. */
function isHidden({ before, form, after }: PlantedText, output: string): boolean {
  if (isDropped(output)) return true;
  const rest = output.length - before.length - after.length - "[secret]".length;
  return output.includes("[secret]") && rest <= 16 + form.length / 2;
}

describe("a secret", () => {
  it(
    `no composition of encodings and no surrounding text reveals a secret (${inputs} inputs)`,
    {
      timeout: 60_000 + inputs,
    },
    () => {
      const { quoteText } = openRedactor();
      let dropped = 0;
      for (let count = 0; count < inputs; count += 1) {
        const planted = plantSecret(composition());
        const text = planted.before + planted.form + planted.after;
        const output = hideSecrets(text);
        if (isDropped(output)) dropped += 1;
        // What the canary decodes on its own takes long, and so does a quote.
        const isLeaking = count % 64 === 0 && carriesValue(output, [planted.secret]);
        const isQuoted =
          count % 16 === 1 && text.length < 200 && !/\[(secret|not shown)/.test(quoteText(text));
        if (isHidden(planted, output) && !isLeaking && !isQuoted) continue;
        expect.fail(JSON.stringify({ ...planted, output }));
      }
      expect(dropped).toBeLessThan(inputs / 50);
    },
  );

  it("no composition of two encodings reveals a secret", { timeout: 300_000 }, () => {
    const revealed: string[] = [];
    for (const inner of encodingNames) {
      for (const outer of encodingNames) {
        for (let count = 0; count < PER_PAIR; count += 1) {
          const { before, form, after, ...planted } = plantSecret([inner, outer]);
          const output = hideSecrets(before + form + after);
          if (!isHidden({ ...planted, before, form, after }, output)) {
            revealed.push(JSON.stringify({ ...planted, before, form, after, output }));
          }
        }
      }
    }
    expect(revealed).toEqual([]);
  });

  fuzz("a text without a secret stays unchanged", 3000, anyText, (text) => {
    expect(hideSecrets(text)).toBe(text);
  });
});
