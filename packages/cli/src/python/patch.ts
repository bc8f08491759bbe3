/*
 * Valid Python that the grammar refuses. Each piece is replaced for the grammar alone by another of
 * the same length, which means the same or nothing for a config: every offset stays.
 */

/** A `with (…)` has some lines. */
const MAX_WITH_CHARACTERS = 2000;

export function patchForGrammar(text: string): string {
  const patched = patchWithStatements(text)
    .replace(/\byield(?=[ \t]*(?:#.*)?$|[ \t]*\))/gm, (_, offset: number, whole: string) =>
      /(^|\n)[ \t]*$/.test(lineBefore(whole, offset)) ? "pass " : "None ",
    )
    .replace(/^[ \t]*case\b.*$/gm, (line) => line.replace(/(?<=\w)\(\s*\)/g, blank));
  return withPlainEnd(patched);
}

/** The grammar refuses blanks on a last line. */
function withPlainEnd(text: string): string {
  const end = text.trimEnd().length;
  return text.slice(0, end) + "\n".repeat(text.length - end);
}

const lineBefore = (text: string, offset: number) =>
  text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);

const blank = (text: string) => " ".repeat(text.length);

/** `with (open(a) as f, open(b) as g):` without its brackets, on one line. */
function patchWithStatements(text: string): string {
  return text
    .replace(/^([ \t]*(?:async[ \t]+)?with[ \t]*)\(/gm, (start, _, offset: number) => {
      const open = offset + start.length - 1;
      return bracketEnd(text, open) === undefined ? start : `${start.slice(0, -1)}\0`;
    })
    .replace(/\0[^\0]*/g, (part, offset: number) => {
      const end = bracketEnd(text, offset);
      if (end === undefined || text[offset] !== "(") return part;
      const length = end - offset;
      const inner = part
        .slice(1, length)
        .replace(/#.*/g, blank)
        .replace(/,(\s*)$/, (_, space: string) => ` ${space}`)
        .replaceAll("\n", " ");
      return ` ${inner} ${part.slice(length + 1)}`;
    });
}

/** The bracket that closes a `with (… as …):`. Undefined for any other bracket. */
function bracketEnd(text: string, open: number): number | undefined {
  let depth = 0;
  const limit = Math.min(text.length, open + MAX_WITH_CHARACTERS);
  for (let i = open; i < limit; i++) {
    if (text[i] === "(") depth += 1;
    if (text[i] === ")") depth -= 1;
    if (depth > 0) continue;
    const isWhole = /^\s*:/.test(text.slice(i + 1, i + 20)) && /\sas\s/.test(text.slice(open, i));
    return isWhole ? i : undefined;
  }
  return undefined;
}
