/** Names that other systems give to dlt's data types. */
const typeByForeignName = new Map(
  Object.entries({
    text: ["string", "str", "varchar", "uuid"],
    bigint: ["integer", "int", "long", "number"],
    double: ["float", "real"],
    bool: ["boolean"],
    timestamp: ["datetime", "date-time", "timestamptz"],
    json: ["object", "array", "list", "dict", "complex"],
    binary: ["bytes", "blob"],
    decimal: ["numeric"],
  }).flatMap(([type, names]) => names.map((name) => [name, type] as const)),
);

/**
 * The right word that the user most likely meant, or undefined. A typo may be one edit for every
 * three letters of the right word away.
 */
export function nearestWord(word: string, rightWords: readonly string[]): string | undefined {
  const translated = typeByForeignName.get(word.toLowerCase());
  if (translated !== undefined && rightWords.includes(translated)) return translated;
  const candidates = rightWords
    .map((rightWord) => ({ rightWord, edits: editDistance(word, rightWord) }))
    .filter(({ rightWord, edits }) => edits <= Math.max(1, Math.floor(rightWord.length / 3)))
    .sort((a, b) => a.edits - b.edits);
  return candidates[0]?.rightWord;
}

/** `did you mean data_selector?`, or all right words when none is near. */
export function spellingHint(word: string, rightWords: readonly string[]): string {
  const meant = nearestWord(word, rightWords);
  return meant === undefined ? `known here: ${rightWords.join(", ")}` : `did you mean ${meant}?`;
}

/** The number of letters to insert, delete, replace or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : replaced;
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped));
    }
  }
  return at(a.length, b.length);
}
