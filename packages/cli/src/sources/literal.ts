import { dlt } from "@tidetable/core";

/** A config has about ten levels. With this limit, functions may walk a literal by recursion. */
export const MAX_DEPTH = 100;

/** Whether a double holds the number as it was written. Python reads a fraction as a double, too. */
export const isExactNumber = (digits: string): boolean =>
  /^-?\d*[.e]/i.test(digits)
    ? Number.isFinite(Number(digits))
    : Number.isSafeInteger(Number(digits));

/**
 * A config in a file, parsed and not run. Sources are made from literals, and `import` writes
 * literals as TypeScript.
 */
export type Literal = DictLiteral | ListLiteral | Scalar | SecretName | Expression;

export interface DictLiteral extends Layout {
  kind: "dict";
  /** An entry without a key is an expression such as `**defaults`. */
  entries: ((Commented & { key: string; value: Literal }) | ExpressionEntry)[];
}

export interface ListLiteral extends Layout {
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

/** Code in the place of a value. Its value is unknown, because the file is not run. */
export interface Expression {
  kind: "expression";
  /** The subject of the message "… cannot be read". */
  subject: string;
  hint: string;
  /** Offsets in the file's text. */
  from: number;
  to: number;
}

type ExpressionEntry = Commented & { key: undefined; value: Expression };

export interface Commented {
  commentsAbove: string[];
  /** The comment at the end of the line. */
  commentAfter?: string;
}

interface Layout {
  /** Whether the author wrote the brackets and their content on one line. */
  isOneLine: boolean;
  /** The comments before the closing bracket. */
  commentsAtEnd: string[];
}

const membersOf = (literal: Literal): (Commented & { value: Literal })[] => {
  if (literal.kind === "dict") return literal.entries;
  return literal.kind === "list" ? literal.items : [];
};

/** Collects all literals of a kind, in the order of the file. */
export function literalsOfKind<Kind extends Literal["kind"]>(
  literal: Literal,
  kind: Kind,
): Extract<Literal, { kind: Kind }>[] {
  const inner = membersOf(literal).flatMap(({ value }) => literalsOfKind(value, kind));
  return literal.kind === kind ? [literal as Extract<Literal, { kind: Kind }>, ...inner] : inner;
}

/** Builds the config. Expressions are left out. A key `__proto__` becomes an ordinary member. */
export function literalToConfig(literal: Literal): unknown {
  switch (literal.kind) {
    case "dict":
      return Object.fromEntries(
        literal.entries.flatMap(({ key, value }) =>
          key === undefined ? [] : [[key, literalToConfig(value)]],
        ),
      );
    case "list":
      return literal.items.map(({ value }) => literalToConfig(value));
    case "scalar":
      return literal.value;
    case "secret":
      return dlt.secrets[literal.name];
    case "expression":
      return undefined;
  }
}

/** Reads a JSON value as a literal. `{"$secret": "api_key"}` stands for `dlt.secrets["api_key"]`. */
export function jsonToLiteral(value: unknown): Literal {
  const layout = { isOneLine: false, commentsAtEnd: [] };
  if (Array.isArray(value)) {
    const items = value.map((item) => ({ value: jsonToLiteral(item), commentsAbove: [] }));
    return { kind: "list", items, ...layout };
  }
  if (typeof value !== "object" || value === null) {
    return { kind: "scalar", value: value as Scalar["value"] };
  }
  const members = Object.entries(value);
  const [[firstKey, secretName] = []] = members;
  const isSecret = members.length === 1 && firstKey === "$secret";
  if (isSecret && typeof secretName === "string" && secretName !== "") {
    return { kind: "secret", name: secretName };
  }
  const entries = members.map(([key, member]) => {
    return { key, value: jsonToLiteral(member), commentsAbove: [] };
  });
  return { kind: "dict", entries, ...layout };
}
