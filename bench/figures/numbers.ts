import { parseJson } from "../../packages/core/src/values/parse-json.ts";
import { type Figure, interleaved, median, type Scale } from "../measure.ts";
import { record } from "../stubs/records.ts";
import { PAGE } from "../stubs.ts";

/** What it costs to read every number exactly, beside JSON.parse, which does not. */
export async function numbers(_: unknown, { rounds }: Scale): Promise<Figure[]> {
  const small = pages((id) => record(id));
  const big = pages((id) => ({ ...record(id), serial: BIG }), `"${BIG}"`, BIG);
  const samples = await interleaved(Math.max(rounds, 9), {
    smallExact: async () => micros(small, parseJson),
    smallLossy: async () => micros(small, JSON.parse),
    bigExact: async () => micros(big, parseJson),
    bigLossy: async () => micros(big, JSON.parse),
  });
  const { corpus, exact } = exactOf(10_000);
  const beside = (id: "small" | "big", name: string, most: number): Figure => {
    const value = median(samples[`${id}Exact`]);
    const baseline = median(samples[`${id}Lossy`]);
    return {
      ...{ id: `json-${id}`, name, unit: "µs", value, baseline, ratio: value / baseline },
      target: { most },
    };
  };
  return [
    beside("small", "exact JSON beside JSON.parse, usual pages", 1.15),
    beside("big", "exact JSON beside JSON.parse, pages with big numbers", 2.5),
    {
      ...{ id: "json-exact", name: "numbers read exactly, of a generated corpus", unit: "" },
      ...{ value: exact, baseline: corpus, ratio: exact / corpus },
      target: { least: 1 },
    },
  ];
}

/** More digits than a double holds. */
const BIG = "12345678901234567890";

/** Texts of pages. A number that JavaScript does not hold goes in as a text, and is unquoted there. */
function pages(make: (id: number) => object, quoted = "", bare = ""): string[] {
  return Array.from({ length: 20 }, (_, page) => {
    const data = Array.from({ length: PAGE }, (_, n) => make(page * PAGE + n + 1));
    const text = JSON.stringify({ data });
    return quoted === "" ? text : text.replaceAll(quoted, bare);
  });
}

/** Per record. Several times over all pages: one time is over before the clock has moved far. */
function micros(texts: string[], parse: (text: string) => unknown): number {
  const times = 5;
  const began = performance.now();
  for (let time = 0; time < times; time++) for (const text of texts) parse(text);
  return ((performance.now() - began) * 1000) / (times * texts.length * PAGE);
}

/** Every length, sign, fraction and exponent that JSON allows, the same in each run. */
function exactOf(corpus: number): { corpus: number; exact: number } {
  let seed = 1;
  const below = (end: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % end;
  };
  const digits = (length: number) => Array.from({ length }, () => below(10)).join("");
  const texts = Array.from({ length: corpus }, () => {
    const whole = `${1 + below(9)}${digits(below(25))}`;
    const fraction = below(2) === 0 ? "" : `.${digits(1 + below(20))}`;
    const exponent = below(4) === 0 ? `e${below(2) === 0 ? "-" : ""}${below(120)}` : "";
    return `${below(2) === 0 ? "-" : ""}${whole}${fraction}${exponent}`;
  });
  const read = parseJson(`[${texts.join(",")}]`) as unknown[];
  const exact = texts.filter((text, n) => canonical(text) === canonical(String(read[n])));
  return { corpus, exact: exact.length };
}

/** A number as its digits without zeros at either end, and where its point is. */
function canonical(text: string): string {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e\+?(-?\d+))?$/i.exec(text) ?? [];
  const all = (whole + fraction).replace(/^0+/, "");
  const significant = all.replace(/0+$/, "");
  return `${sign}${significant} ${Number(exponent) + whole.length - ((whole + fraction).length - all.length)}`;
}
