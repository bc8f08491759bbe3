/** What dlt's data types are called elsewhere. */
const elsewhere = new Map(
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

/** The known word that another or a typo most likely meant: at most one edit in three letters away. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const same = elsewhere.get(word.toLowerCase());
  if (same !== undefined && known.includes(same)) return same;
  const near = known
    .map((candidate) => ({ candidate, edits: distance(word, candidate) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.edits - b.edits);
  return near[0]?.candidate;
}

/** `did you mean data_selector?`, else all that is known here. */
export function suggest(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? `known here: ${known.join(", ")}` : `did you mean ${meant}?`;
}

/** Letters to insert, delete, replace or swap with their neighbour. */
function distance(a: string, b: string): number {
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
