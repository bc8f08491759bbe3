import { ConfigError } from "../errors.ts";

/** One step of a parsed JSONPath. */
export type Step = { name: string } | { index: number } | { all: true };

/** A parsed JSONPath: plain data, parsed once per plan, followed in `extract/select.ts`. */
export interface Path {
  /** As the user wrote it, for messages. */
  text: string;
  steps: Step[];
}

const supported = `a path is made of names (data.items), ['any name'], [0], [-1] and [*]`;

// Each form of a step with what it means. Sticky: matched where the last step ended.
const name = /[^\s.[\]*'"()?,:]+/y;
const star = /\*/y;
const brackets: [RegExp, (inside: string) => Step][] = [
  [/\[\*\]/y, () => ({ all: true })],
  [/\[(-?\d+)\]/y, (digits) => ({ index: Number(digits) })],
  [/\['((?:[^'\\]|\\.)*)'\]/y, (quoted) => ({ name: unquote(quoted) })],
  [/\["((?:[^"\\]|\\.)*)"\]/y, (quoted) => ({ name: unquote(quoted) })],
];

const unquote = (quoted: string) => quoted.replace(/\\(.)/g, "$1");

/**
 * Reads the part of JSONPath that configs in the wild use, with or without a leading `$`.
 * Throws a ConfigError that names the position.
 *
 * @example parsePath("data.items[*]")
 */
export function parsePath(text: string): Path {
  const steps: Step[] = [];
  let at = /^\$(?=$|[.[])/.test(text) ? 1 : 0;
  const rooted = at === 1;

  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    const found = form.exec(text);
    if (found) at = form.lastIndex;
    return found;
  };

  const member = (): Step => {
    if (take(star)) return { all: true };
    const found = take(name);
    if (!found) throw unexpected(text, at);
    return { name: found[0] };
  };

  const bracket = (): Step => {
    for (const [form, step] of brackets) {
      const found = take(form);
      if (found) return step(found[1] ?? "");
    }
    // Of a bracket it is the inside that is wrong.
    throw unexpected(text, text[at] === "[" ? at + 1 : at);
  };

  if (text === "") throw unexpected(text, at);
  if (!rooted && text[at] !== "[") steps.push(member());
  while (at < text.length) {
    if (take(/\./y)) steps.push(member());
    else steps.push(bracket());
  }
  return { text, steps };
}

// The character alone: what was written in the wrong place may be a credential.
function unexpected(text: string, at: number): ConfigError {
  const what = at < text.length ? `${JSON.stringify(text[at])} at position ${at + 1}` : "its end";
  return new ConfigError({
    code: "config.jsonpath",
    message: `not a path that tidetable reads: it did not expect ${what}`,
    hint: supported,
  });
}
