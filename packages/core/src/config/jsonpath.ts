import { ConfigError } from "../base/errors.ts";

/** A step of a parsed JSONPath. `where` keeps the elements with the value `is` at that path. */
export type PathStep =
  | { name: string }
  | { index: number }
  | { all: true }
  | { where: PathStep[]; is: Literal };

type Literal = string | number | boolean | null;

/** A parsed JSONPath is plain data: parsed once per plan, followed in `extract/select.ts`. */
export interface JsonPath {
  /** The path as the user wrote it, for messages. */
  text: string;
  steps: PathStep[];
}

const supportedForms = `a path is made of names (data.items), ['any name'], [0], [-1], [*] and [?(@.name=='value')]`;

// The patterns are sticky (flag y): each matches only at the position that the parser has reached.
const namePattern = /[^\s.[\]*`'"()?,:]+/y;

const starPattern = /\*/y;

const filterPattern =
  /\[\s*\?\s*\(\s*@([^=<>!~&|()]*[^=<>!~&|()\s])\s*==\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w.+-]+)\s*\)\s*\]/y;

const bracketForms: [pattern: RegExp, toStep: (inside: string, value: string) => PathStep][] = [
  [/\[\*\]/y, () => ({ all: true })],
  [/\[(-?\d+)\]/y, (digits) => ({ index: Number(digits) })],
  [/\['((?:[^'\\]|\\.)*)'\]/y, (quoted) => ({ name: unescapeQuotes(quoted) })],
  [/\["((?:[^"\\]|\\.)*)"\]/y, (quoted) => ({ name: unescapeQuotes(quoted) })],
  [
    filterPattern,
    (path, value) => ({ where: parseJsonPath(`$${path}`).steps, is: parseLiteral(value) }),
  ],
];

const unescapeQuotes = (quoted: string) => quoted.replace(/\\(.)/g, "$1");

/** As in dlt, a bare word is a string. */
function parseLiteral(written: string): Literal {
  if (/^['"]/.test(written)) return unescapeQuotes(written.slice(1, -1));
  if (/^(true|false|null)$/.test(written)) return JSON.parse(written);
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(written) ? Number(written) : written;
}

/**
 * Reads the part of JSONPath that configs in the wild use, with or without a leading `$`. The rest
 * of JSONPath (`$..`, slices, unions, functions, most filters) throws a ConfigError with the
 * position, so that no path is half understood.
 *
 * @example parseJsonPath("data.items[*]")
 */
export function parseJsonPath(text: string): JsonPath {
  const steps: PathStep[] = [];
  const hasRoot = /^\$(?=$|[.[])/.test(text);
  let position = hasRoot ? 1 : 0;

  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match) position = pattern.lastIndex;
    return match;
  };

  const takeMember = (): PathStep => {
    if (take(starPattern)) return { all: true };
    const match = take(namePattern);
    if (!match) throw unexpectedCharacter(text, position);
    return { name: match[0] };
  };

  const takeBracket = (): PathStep => {
    for (const [pattern, toStep] of bracketForms) {
      const match = take(pattern);
      if (match) return toStep(match[1] ?? "", match[2] ?? "");
    }
    // The bracket is fine, and the character after it is the unexpected one.
    throw unexpectedCharacter(text, position + 1);
  };

  if (text === "") throw unexpectedCharacter(text, position);
  if (!hasRoot && text[position] !== "[") steps.push(takeMember());
  while (position < text.length) {
    if (take(/\.(?!\[)/y)) steps.push(takeMember());
    else if (take(/\.?(?=\[)/y)) steps.push(takeBracket());
    else throw unexpectedCharacter(text, position);
  }
  return { text, steps };
}

// The message has one character alone, because a string in the wrong place may be a credential.
function unexpectedCharacter(text: string, position: number): ConfigError {
  const character =
    position < text.length
      ? `${JSON.stringify(text[position])} at position ${position + 1}`
      : "its end";
  return new ConfigError({
    code: "config.jsonpath",
    message: `not a path that tidetable reads: it did not expect ${character}`,
    hint: supportedForms,
  });
}

/** Undefined for a path that parseJsonPath would refuse, and for anything but a string. */
export function parseJsonPathIfValid(text: unknown): JsonPath | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return parseJsonPath(text);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
