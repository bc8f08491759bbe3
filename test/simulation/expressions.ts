import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { invalid } from "./dynamodb-errors.ts";

/*
 * DynamoDB's expressions, as far as its grammar goes without sets: conditions (AND, OR, NOT,
 * comparisons, BETWEEN, IN, functions) and updates (SET with + and -, REMOVE, ADD).
 */

export type Item = Record<string, AttributeValue>;
type Value = AttributeValue | undefined;
type Operand = (item: Item) => Value;
export type Condition = (item: Item) => boolean;
/** Gives the new item; the old one stays as it is. */
export type Update = (item: Item) => Item;

/** `#name` and `:value`, each of which has to be used at least once, as DynamoDB demands. */
export interface Words {
  names?: Record<string, string> | undefined;
  values?: Record<string, AttributeValue> | undefined;
}

export function compiler({ names = {}, values = {} }: Words) {
  const used = new Set<string>();
  const words = {
    name(word: string): string {
      if (!word.startsWith("#")) return word;
      used.add(word);
      return names[word] ?? fail(`the name ${word} is not defined`);
    },
    value(word: string): AttributeValue {
      used.add(word);
      return values[word] ?? fail(`the value ${word} is not defined`);
    },
  };
  return {
    condition: (text: string | undefined): Condition =>
      text === undefined ? () => true : parse(text, words, (parser) => parser.condition()),
    update: (text: string): Update => parse(text, words, (parser) => parser.update()),
    projection: (text: string | undefined): string[] | undefined =>
      text?.split(",").map((name) => words.name(name.trim())),
    /** Call when all expressions of a request are compiled. */
    done() {
      const unused = [...Object.keys(names), ...Object.keys(values)].filter((w) => !used.has(w));
      if (unused.length > 0) fail(`unused in expressions: ${unused.join(", ")}`);
    },
  };
}

const fail = (message: string): never => {
  throw invalid(message);
};

interface Resolver {
  name(word: string): string;
  value(word: string): AttributeValue;
}

function parse<T>(text: string, words: Resolver, rule: (parser: Parser) => T): T {
  const tokens = text.match(/[#:]?[A-Za-z_][\w]*|<>|<=|>=|[=<>()+,.[\]-]|\d+/g) ?? [];
  const parser = openParser(tokens, words);
  const result = rule(parser);
  if (!parser.atEnd()) fail(`the expression goes on after its end: ${text}`);
  return result;
}

type Parser = ReturnType<typeof openParser>;

function openParser(tokens: string[], words: Resolver) {
  let position = 0;
  const peek = () => tokens[position];
  const take = () => tokens[position++] ?? fail("the expression ends early");
  const isNext = (word: string) => peek()?.toUpperCase() === word;
  const takeIf = (word: string) => isNext(word) && Boolean(take());
  const expect = (word: string) => takeIf(word) || fail(`${word} expected, not ${peek()}`);

  const list = <T>(rule: () => T): T[] => {
    const found = [rule()];
    while (takeIf(",")) found.push(rule());
    return found;
  };
  const inParentheses = <T>(rule: () => T): T => {
    expect("(");
    const found = rule();
    expect(")");
    return found;
  };

  const path = (): string => {
    const name = words.name(take());
    if (peek() === "." || peek() === "[") fail("nested paths are not part of this simulation");
    return name;
  };

  const operand = (): Operand => {
    if (peek()?.startsWith(":")) {
      const value = words.value(take());
      return () => value;
    }
    if (takeIf("SIZE")) {
      const name = inParentheses(path);
      return (item) => ({ N: String(sizeOf(item[name])) });
    }
    if (takeIf("IF_NOT_EXISTS")) {
      const [name, other] = inParentheses(() => [path(), expect(",") && operand()] as const);
      return (item) => item[name] ?? (other as Operand)(item);
    }
    const name = path();
    return (item) => item[name];
  };

  const functions: Record<string, () => Condition> = {
    ATTRIBUTE_EXISTS: () => {
      const name = inParentheses(path);
      return (item) => item[name] !== undefined;
    },
    ATTRIBUTE_NOT_EXISTS: () => {
      const name = inParentheses(path);
      return (item) => item[name] === undefined;
    },
    ATTRIBUTE_TYPE: () => {
      const [value, type] = inParentheses(() => list(operand)) as [Operand, Operand];
      return (item) => Object.hasOwn(value(item) ?? {}, type(item)?.S ?? "");
    },
    BEGINS_WITH: () => {
      const [text, start] = inParentheses(() => list(operand)) as [Operand, Operand];
      return (item) => text(item)?.S?.startsWith(start(item)?.S ?? "") ?? false;
    },
    CONTAINS: () => {
      const [text, part] = inParentheses(() => list(operand)) as [Operand, Operand];
      return (item) => text(item)?.S?.includes(part(item)?.S ?? "") ?? false;
    },
  };

  const comparison = (): Condition => {
    const left = operand();
    const word = take().toUpperCase();
    if (word === "BETWEEN") {
      const low = operand();
      expect("AND");
      const high = operand();
      return (item) => holds(">=", left(item), low(item)) && holds("<=", left(item), high(item));
    }
    if (word === "IN") {
      const choices = inParentheses(() => list(operand));
      return (item) => choices.some((choice) => holds("=", left(item), choice(item)));
    }
    const right = operand();
    return (item) => holds(word, left(item), right(item));
  };

  const term = (): Condition => {
    if (takeIf("NOT")) {
      const negated = term();
      return (item) => !negated(item);
    }
    if (peek() === "(") return inParentheses(condition);
    const named = functions[peek()?.toUpperCase() ?? ""];
    return named && take() ? named() : comparison();
  };

  const joined = (word: string, rule: () => Condition, every: boolean): Condition => {
    const parts = [rule()];
    while (takeIf(word)) parts.push(rule());
    if (parts.length === 1) return parts[0] as Condition;
    return (item) => (every ? parts.every((part) => part(item)) : parts.some((part) => part(item)));
  };
  function condition(): Condition {
    return joined("OR", () => joined("AND", term, true), false);
  }

  const sum = (): Operand => {
    const left = operand();
    const sign = takeIf("+") ? 1 : takeIf("-") ? -1 : 0;
    if (sign === 0) return left;
    const right = operand();
    return (item) => ({ N: String(numberOf(left(item)) + sign * numberOf(right(item))) });
  };

  const clauses: Record<string, () => (old: Item, next: Item) => void> = {
    SET: () => {
      const name = path();
      expect("=");
      const value = sum();
      return (old, next) => {
        next[name] = value(old) ?? fail(`SET: an operand of ${name} has no value`);
      };
    },
    REMOVE: () => {
      const name = path();
      return (_, next) => {
        delete next[name];
      };
    },
    ADD: () => {
      const name = path();
      const value = operand();
      return (old, next) => {
        next[name] = { N: String(numberOf(old[name] ?? { N: "0" }) + numberOf(value(old))) };
      };
    },
  };

  const update = (): Update => {
    const changes: ((old: Item, next: Item) => void)[] = [];
    while (peek() !== undefined) {
      const clause = clauses[take().toUpperCase()] ?? fail("SET, REMOVE or ADD expected");
      changes.push(...list(clause));
    }
    return (item) => {
      const next = { ...item };
      for (const change of changes) change(item, next);
      return next;
    };
  };

  return { condition, update, atEnd: () => peek() === undefined };
}

/** Values of different types, and those that are not there, are unequal and in no order. */
function holds(comparator: string, left: Value, right: Value): boolean {
  const order = left && right ? compare(left, right) : undefined;
  if (comparator === "<>") return order !== 0;
  if (order === undefined) return false;
  if (comparator === "=") return order === 0;
  if (comparator === "<") return order < 0;
  if (comparator === "<=") return order <= 0;
  if (comparator === ">") return order > 0;
  if (comparator === ">=") return order >= 0;
  return fail(`${comparator} is not a comparator`);
}

/** Negative, 0 or positive; undefined where there is no order. */
export function compare(left: AttributeValue, right: AttributeValue): number | undefined {
  if (left.S !== undefined && right.S !== undefined) {
    return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  }
  if (left.N !== undefined && right.N !== undefined) return Number(left.N) - Number(right.N);
  return JSON.stringify(left) === JSON.stringify(right) ? 0 : undefined;
}

const numberOf = (value: Value): number =>
  value?.N === undefined ? fail("an operand is not a number") : Number(value.N);

const sizeOf = (value: Value): number =>
  value?.S === undefined ? fail("size of something that is not text") : Buffer.byteLength(value.S);
