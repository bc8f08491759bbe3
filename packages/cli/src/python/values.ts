import type { Literal } from "../sources/literal.ts";
import type { Binding, PythonFile } from "./scopes.ts";
import type { Node } from "./tree.ts";

/*
 * What an expression of a Python file is known to be, without running it.
 */

/** A literal can stand in a config. The other values only lead to one. */
export type Value =
  | Literal
  | FunctionValue
  | ClassValue
  | NamedValue
  | TimeValue
  | Duration
  | RelativeStart;

/** A function or a lambda of the file. */
export interface FunctionValue {
  kind: "function";
  context: Context;
  node: Node;
}

/** A class of the file, with its constants. */
export interface ClassValue {
  kind: "class";
  context: Context;
  node: Node;
}

/** A thing from a library or of Python itself, by its dotted name: `os.environ`, `max`. */
export interface NamedValue {
  kind: "named";
  name: string;
}

export interface TimeShift {
  amount: number;
  unit: "second" | "minute" | "hour" | "day" | "week" | "month" | "year";
}

/** A date or a time, not written yet. */
export interface TimeValue {
  kind: "time";
  /** Epoch milliseconds of a fixed one. */
  base: "now" | "today" | number;
  shifts: TimeShift[];
  style: "date" | "time";
  zone: "utc" | "none";
}

export interface Duration {
  kind: "duration";
  shifts: TimeShift[];
}

/** A written time that is counted from now. It has a meaning as an `initial_value` alone. */
export interface RelativeStart {
  kind: "relative";
  text: string;
  form: "iso_datetime" | "iso_date" | "epoch_s" | "epoch_ms";
}

/** The arguments of a function while its result is looked for. */
export interface Frame {
  file: PythonFile;
  functionNode: Node;
  values: ReadonlyMap<string, Value>;
  outer: Frame | undefined;
}

/** Where an expression is evaluated, and what is known of its names there. */
export interface Context {
  file: PythonFile;
  session: Session;
  frame: Frame | undefined;
  depth: number;
}

/** A decision that the user is told about: its place, and what was decided. */
export interface Note {
  path: string;
  message: string;
}

/** Opens another file of the same project by the dotted name that `from` names it by. */
export type OpenModule = (module: string, from: PythonFile) => PythonFile | undefined;

export type Evaluate = (context: Context, node: Node) => Value;

/** What one reading of a file has found so far. */
export class Session {
  readonly openModule: OpenModule;
  /** The evaluator itself: its parts reach it from here, and need not import it. */
  readonly evaluate: Evaluate;
  /** The values of names outside of functions' arguments, by the place of their definition. */
  readonly #known = new Map<string, Value>();
  /** The definitions that are being evaluated: one that needs itself has no value. */
  readonly #open = new Set<string>();
  readonly #notes = new Map<string, Note>();
  /** How much has been evaluated. A hostile file would take for ever. */
  #steps = 0;

  constructor(openModule: OpenModule, evaluate: Evaluate) {
    this.openModule = openModule;
    this.evaluate = evaluate;
  }

  get notes(): Note[] {
    return [...this.#notes.values()];
  }

  note(note: Note): void {
    this.#notes.set(`${note.path} ${note.message}`, note);
  }

  /** Counts work, and tells whether there is still room for it. */
  spend(steps: number): boolean {
    this.#steps += steps;
    return this.#steps <= MAX_STEPS;
  }

  /** Evaluates a definition once. Undefined: it needs its own value. */
  once(definition: string, isShared: boolean, evaluate: () => Value): Value | undefined {
    const known = isShared ? this.#known.get(definition) : undefined;
    if (known) return known;
    if (this.#open.has(definition)) return undefined;
    this.#open.add(definition);
    try {
      const value = evaluate();
      if (isShared) this.#known.set(definition, value);
      return value;
    } finally {
      this.#open.delete(definition);
    }
  }
}

/** A config has some thousand members. */
const MAX_STEPS = 300_000;

export const isLiteral = (value: Value): value is Literal =>
  !/^(function|class|named|time|duration|relative)$/.test(value.kind);

/** The string that a value is known to be. */
export const stringIn = (value: Value | undefined): string | undefined =>
  value?.kind === "scalar" && typeof value.value === "string" ? value.value : undefined;

export const isNull = (value: Value | undefined): boolean =>
  value?.kind === "scalar" && value.value === null;

/** Finds the value of an expression without running it. */
export const evaluate: Evaluate = (context, node) => context.session.evaluate(context, node);

/** The arguments of the function or comprehension to which a definition belongs. */
export function frameFor(
  { file, frame }: Context,
  binding: Binding | undefined,
): Frame | undefined {
  for (let candidate = frame; candidate; candidate = candidate.outer) {
    const { functionNode } = candidate;
    const isSame = functionNode.from === binding?.scope.node.from && candidate.file === file;
    if (isSame) return candidate;
  }
  return undefined;
}
