import { ConfigError } from "../base/errors.ts";

/** One step of a parsed JSONPath. `where` keeps the elements that have this value at that path. */
export type Step =
  | { name: string }
  | { index: number }
  | { all: true }
  | { where: Step[]; is: Literal };

type Literal = string | number | boolean | null;

/** A parsed JSONPath: plain data, parsed once per plan, followed in `extract/select.ts`. */
export interface Path {
  /** As the user wrote it, for messages. */
  text: string;
  steps: Step[];
}

const supported = `a path is made of names (data.items), ['any name'], [0], [-1], [*] and [?(@.name=='value')]`;

// Each form of a step with what it means. Sticky: matched where the last step ended.
const name = /[^\s.[\]*`'"()?,:]+/y;

const star = /\*/y;

const filter =
  /\[\s*\?\s*\(\s*@([^=<>!~&|()]*[^=<>!~&|()\s])\s*==\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w.+-]+)\s*\)\s*\]/y;

const brackets: [RegExp, (inside: string, value: string) => Step][] = [
  [/\[\*\]/y, () => ({ all: true })],
  [/\[(-?\d+)\]/y, (digits) => ({ index: Number(digits) })],
  [/\['((?:[^'\\]|\\.)*)'\]/y, (quoted) => ({ name: unquote(quoted) })],
  [/\["((?:[^"\\]|\\.)*)"\]/y, (quoted) => ({ name: unquote(quoted) })],
  [filter, (path, value) => ({ where: parsePath(`$${path}`).steps, is: literal(value) })],
];

const unquote = (quoted: string) => quoted.replace(/\\(.)/g, "$1");

/** As in dlt, a bare word is a text. */
function literal(written: string): Literal {
  if (/^['"]/.test(written)) return unquote(written.slice(1, -1));
  if (/^(true|false|null)$/.test(written)) return JSON.parse(written);
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(written) ? Number(written) : written;
}

/**
 * Reads the part of JSONPath that configs in the wild use, with or without a leading `$`.
 * Throws a ConfigError that names the position: of the rest (`$..`, slices, unions, functions, other
 * filters) nothing is half understood.
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
      if (found) return step(found[1] ?? "", found[2] ?? "");
    }
    // Of a bracket it is the inside that is wrong.
    throw unexpected(text, at + 1);
  };

  if (text === "") throw unexpected(text, at);
  if (!rooted && text[at] !== "[") steps.push(member());
  while (at < text.length) {
    if (take(/\.(?!\[)/y)) steps.push(member());
    else if (take(/\.?(?=\[)/y)) steps.push(bracket());
    else throw unexpected(text, at);
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
