import { dlt } from "@tidetable/core";
import { StageValue } from "@tidetable/core/internal/config";
import type { Problem } from "@tidetable/core/plan";

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
export type Literal =
  | DictLiteral
  | ListLiteral
  | Scalar
  | SecretName
  | ValueName
  | TextLiteral
  | Expression;

export interface DictLiteral extends Layout {
  kind: "dict";
  /** An entry without a key is an expression such as `**defaults`. */
  entries: ((Commented & { key: string; value: Literal }) | ExpressionEntry)[];
}

export interface ListLiteral extends Layout {
  kind: "list";
  items: (Commented & { value: Literal })[];
}

export interface Scalar {
  kind: "scalar";
  value: string | number | boolean | null;
  /** Python writes this number as "1.0", and JavaScript as "1". */
  isFloat?: boolean;
}

export interface SecretName {
  kind: "secret";
  name: string;
}

/** A value that each stage sets: `dlt.config["region"]`. */
export interface ValueName {
  kind: "value";
  name: string;
  /** The value where none is set. */
  fallback?: Scalar["value"];
  /** Whether it is a secret in a place where a secret may stand: the file does not say what it is. */
  mayBeSecret?: boolean;
}

/** A string with names of secrets and values inside. */
export interface TextLiteral {
  kind: "text";
  parts: (string | SecretName | ValueName)[];
}

/** Code in the place of a value. Its value is unknown, because the file is not run. */
export interface Expression {
  kind: "expression";
  /** Made on demand, because it quotes the file. */
  problem: () => Problem;
  /** The code as it stands in the file. */
  code: () => string;
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
    case "value":
      return new StageValue(literal.name, literal.fallback);
    case "text":
      return literal.parts.map((part) => textPart(part)).join("");
    case "expression":
      return undefined;
  }
}

const textPart = (part: TextLiteral["parts"][number]): string =>
  typeof part === "string" ? part : String(literalToConfig(part));

/**
 * Reads a JSON value as a literal. `{"$value": "region"}` stands for `dlt.config["region"]`, and
 * `{"$secret": "api_key"}` for `dlt.secrets["api_key"]`.
 */
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
  const valueName = jsonValueName(value as Record<string, unknown>);
  if (valueName) return valueName;
  const entries = members.map(([key, member]) => {
    return { key, value: jsonToLiteral(member), commentsAbove: [] };
  });
  return { kind: "dict", entries, ...layout };
}

/** `{"$value": "region"}`, or with a default. Undefined for any other dict. */
function jsonValueName({ $value, ...rest }: Record<string, unknown>): ValueName | undefined {
  const { default: fallback, ...others } = rest;
  const isScalar = fallback === null || typeof fallback !== "object";
  if (typeof $value !== "string" || $value === "" || !isScalar) return undefined;
  if (Object.keys(others).length > 0) return undefined;
  const name: ValueName = { kind: "value", name: $value };
  return "default" in rest ? { ...name, fallback: fallback as Scalar["value"] } : name;
}
