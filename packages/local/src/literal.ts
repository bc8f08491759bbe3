import { dlt } from "@tidetable/core";

/** A config has about ten levels; whoever walks it later may do so by recursion. */
export const DEEPEST = 100;

/** Whether a double is the number that was written. A fraction is a double in Python, too. */
export const isExact = (digits: string): boolean =>
  /^-?\d*[.e]/i.test(digits)
    ? Number.isFinite(Number(digits))
    : Number.isSafeInteger(Number(digits));

/**
 * A config as it stands in a file that is read and not run: what a source is made from, and what
 * `import` writes as TypeScript.
 */
export type Literal = Dict | List | Scalar | SecretName | Foreign;

export interface Dict extends Layout {
  kind: "dict";
  /** Without a key: what is there instead of one, such as `**defaults`. */
  entries: ((Commented & { key: string; value: Literal }) | ForeignEntry)[];
}

export interface List extends Layout {
  kind: "list";
  items: (Commented & { value: Literal })[];
}

interface Scalar {
  kind: "scalar";
  value: string | number | boolean | null;
}

interface SecretName {
  kind: "secret";
  name: string;
}

/** What only running the file could tell. */
export interface Foreign {
  kind: "foreign";
  /** As the subject of "… can not be read". */
  what: string;
  hint: string;
  from: number;
  to: number;
}

type ForeignEntry = Commented & { key: undefined; value: Foreign };

export interface Commented {
  /** The lines of comments above. */
  before: string[];
  /** The comment at the end of the line. */
  after?: string;
}

interface Layout {
  /** Whether the author wrote it on one line. */
  oneLine: boolean;
  /** The comments before the closing bracket. */
  end: string[];
}

const members = (literal: Literal): (Commented & { value: Literal })[] => {
  if (literal.kind === "dict") return literal.entries;
  return literal.kind === "list" ? literal.items : [];
};

/** All values of one kind, in the order of the file. */
export function ofKind<Kind extends Literal["kind"]>(
  literal: Literal,
  kind: Kind,
): Extract<Literal, { kind: Kind }>[] {
  const inner = members(literal).flatMap(({ value }) => ofKind(value, kind));
  return literal.kind === kind ? [literal as Extract<Literal, { kind: Kind }>, ...inner] : inner;
}

/** The config itself. Own members only, `__proto__` too; what is foreign is left out. */
export function toConfig(literal: Literal): unknown {
  switch (literal.kind) {
    case "dict":
      return Object.fromEntries(
        literal.entries.flatMap(({ key, value }) =>
          key === undefined ? [] : [[key, toConfig(value)]],
        ),
      );
    case "list":
      return literal.items.map(({ value }) => toConfig(value));
    case "scalar":
      return literal.value;
    case "secret":
      return dlt.secrets[literal.name];
    case "foreign":
      return undefined;
  }
}

/** The literal of what JSON can hold, with `{"$secret": "api_key"}` for `dlt.secrets["api_key"]`. */
export function fromJson(value: unknown): Literal {
  const layout = { oneLine: false, end: [] };
  if (Array.isArray(value)) {
    const items = value.map((one) => ({ value: fromJson(one), before: [] }));
    return { kind: "list", items, ...layout };
  }
  if (typeof value !== "object" || value === null) {
    return { kind: "scalar", value: value as Scalar["value"] };
  }
  const members = Object.entries(value);
  const [[key, name] = []] = members;
  if (members.length === 1 && key === "$secret" && typeof name === "string" && name !== "") {
    return { kind: "secret", name };
  }
  const entries = members.map(([key, one]) => ({ key, value: fromJson(one), before: [] }));
  return { kind: "dict", entries, ...layout };
}
