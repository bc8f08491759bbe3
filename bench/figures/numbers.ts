import { parseJson } from "../../packages/core/src/values/parse-json.ts";
import { type Figure, median, runInterleaved, type Scale } from "../measure.ts";
import { makeRecord } from "../stubs/records.ts";
import { PAGE_SIZE } from "../stubs.ts";

/** Measures reading numbers exactly, compared with JSON.parse, which rounds. */
export async function measureNumbers(_: unknown, { rounds }: Scale): Promise<Figure[]> {
  const smallPages = makePages((id) => makeRecord(id));
  const bigPages = makePages((id) => ({ ...makeRecord(id), serial: BIG }), `"${BIG}"`, BIG);
  const samples = await runInterleaved(Math.max(rounds, 9), {
    smallExact: async () => parseMicros(smallPages, parseJson),
    smallLossy: async () => parseMicros(smallPages, JSON.parse),
    bigExact: async () => parseMicros(bigPages, parseJson),
    bigLossy: async () => parseMicros(bigPages, JSON.parse),
  });
  const { corpus, exact } = countExact(10_000);
  const compare = (id: "small" | "big", name: string, most: number): Figure => {
    const value = median(samples[`${id}Exact`]);
    const baseline = median(samples[`${id}Lossy`]);
    return {
      ...{ id: `json-${id}`, name, unit: "µs", value, baseline, ratio: value / baseline },
      target: { most },
    };
  };
  return [
    compare("small", "exact JSON beside JSON.parse, usual pages", 1.15),
    compare("big", "exact JSON beside JSON.parse, pages with big numbers", 2.5),
    {
      ...{ id: "json-exact", name: "numbers read exactly, of a generated corpus", unit: "" },
      ...{ value: exact, baseline: corpus, ratio: exact / corpus },
      target: { least: 1 },
    },
  ];
}

/** More digits than a double holds. */
const BIG = "12345678901234567890";

/** Writes pages of JSON. Numbers beyond a double are written as strings first and then unquoted. */
function makePages(make: (id: number) => object, quoted = "", bare = ""): string[] {
  return Array.from({ length: 20 }, (_, page) => {
    const data = Array.from({ length: PAGE_SIZE }, (_, n) => make(page * PAGE_SIZE + n + 1));
    const text = JSON.stringify({ data });
    return quoted === "" ? text : text.replaceAll(quoted, bare);
  });
}

/** Measures the time per record. Several repetitions reduce the effect of the clock's resolution. */
function parseMicros(texts: string[], parse: (text: string) => unknown): number {
  const repetitions = 5;
  const startedAt = performance.now();
  for (let n = 0; n < repetitions; n++) for (const text of texts) parse(text);
  return ((performance.now() - startedAt) * 1000) / (repetitions * texts.length * PAGE_SIZE);
}

/** Reads a generated corpus of numbers with every form in JSON, the same in each run. */
function countExact(corpus: number): { corpus: number; exact: number } {
  let seed = 1;
  const randomBelow = (end: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % end;
  };
  const digits = (length: number) => Array.from({ length }, () => randomBelow(10)).join("");
  const texts = Array.from({ length: corpus }, () => {
    const whole = `${1 + randomBelow(9)}${digits(randomBelow(25))}`;
    const fraction = randomBelow(2) === 0 ? "" : `.${digits(1 + randomBelow(20))}`;
    const exponent =
      randomBelow(4) === 0 ? `e${randomBelow(2) === 0 ? "-" : ""}${randomBelow(120)}` : "";
    return `${randomBelow(2) === 0 ? "-" : ""}${whole}${fraction}${exponent}`;
  });
  const read = parseJson(`[${texts.join(",")}]`) as unknown[];
  const exact = texts.filter((text, n) => canonicalText(text) === canonicalText(String(read[n])));
  return { corpus, exact: exact.length };
}

/** A number's digits without zeros at either end, and the position of the decimal point. */
function canonicalText(text: string): string {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e\+?(-?\d+))?$/i.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  return `${sign}${significant} ${Number(exponent) + whole.length - ((whole + fraction).length - digits.length)}`;
}
