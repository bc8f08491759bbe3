import type { Literal, ValueName } from "../sources/literal.ts";
import { mergeDicts } from "./containers.ts";
import { joinTexts } from "./strings.ts";
import { inMilliseconds, timeArithmetic } from "./times.ts";
import { evaluateLiteral, toLiteral } from "./to-literal.ts";
import { childNodes, type Node, positionText, sourceText } from "./tree.ts";
import { unknownBecause, unreadable } from "./unknown.ts";
import { type Context, evaluate, isNull, type Value } from "./values.ts";

/**
 * Whether a condition holds. `assumed` names what has to be there for it: a condition about a secret
 * or a parameter asks whether the user has given one, and here it is taken as given.
 */
interface Truth {
  holds: boolean;
  assumed: string[];
}

const known = (holds: boolean): Truth => ({ holds, assumed: [] });

function truthOf(value: Value): Truth | undefined {
  switch (value.kind) {
    case "scalar":
      return known(Boolean(value.value));
    case "dict":
      return value.entries.some(({ key }) => key === undefined)
        ? undefined
        : known(value.entries.length > 0);
    case "list":
      return known(value.items.length > 0);
    case "text":
      return known(true);
    case "secret":
      return { holds: true, assumed: [value.name] };
    case "value":
      return value.fallback == null ? { holds: true, assumed: [value.name] } : undefined;
    default:
      return undefined;
  }
}

const negate = (truth: Truth | undefined): Truth | undefined =>
  truth && { ...truth, holds: !truth.holds };

function condition(context: Context, node: Node): Truth | undefined {
  const { file } = context;
  const nodes = childNodes(node).filter(({ name }) => name !== "Comment");
  if (node.name === "ParenthesizedExpression" && nodes[1]) return condition(context, nodes[1]);
  if (node.name === "UnaryExpression" && nodes[0]?.name === "not" && nodes[1]) {
    return negate(condition(context, nodes[1]));
  }
  if (node.name !== "BinaryExpression") return truthOf(evaluate(context, node));
  const [left, operator, right] = [nodes[0], nodes[1], nodes.at(-1)];
  if (!left || !operator || !right) return undefined;
  const operatorText = nodes
    .slice(1, -1)
    .map((part) => sourceText(file, part))
    .join(" ");
  if (operatorText === "and" || operatorText === "or") {
    const [first, second] = [condition(context, left), condition(context, right)];
    if (!first || !second) return undefined;
    const decides = operatorText === "or";
    const holds = decides ? first.holds || second.holds : first.holds && second.holds;
    return { holds, assumed: [...first.assumed, ...second.assumed] };
  }
  return comparison(evaluate(context, left), operatorText, evaluate(context, right));
}

function comparison(left: Value, operator: string, right: Value): Truth | undefined {
  const isNegative = operator === "is not" || operator === "!=";
  if (!isNegative && operator !== "is" && operator !== "==") return undefined;
  const equal = equality(left, right);
  return isNegative ? negate(equal) : equal;
}

/** Only null and the empty string are compared with a value that the file does not have. */
function equality(left: Value, right: Value): Truth | undefined {
  if (left.kind === "scalar" && right.kind === "scalar") return known(left.value === right.value);
  const isEmpty = isNull(right) || (right.kind === "scalar" && right.value === "");
  const truth = isEmpty ? truthOf(left) : undefined;
  if (truth && truth.assumed.length > 0) return negate(truth);
  return isNull(right) && truth ? known(false) : undefined;
}

export function evaluateNot(context: Context, node: Node): Literal {
  const truth = condition(context, node);
  return truth && truth.assumed.length === 0
    ? { kind: "scalar", value: truth.holds }
    : unreadable(context.file, node);
}

/** `X if Y else Z`. Where Y asks for a secret or a parameter, the branch with it is taken, and said. */
export function evaluateConditional(context: Context, node: Node): Value {
  const { file } = context;
  const [yes, , test, , no] = childNodes(node).filter(({ name }) => name !== "Comment");
  if (!yes || !test || !no) return unreadable(file, node);
  const truth = condition(context, test);
  if (!truth) {
    const hint = "write the branch that you want";
    return unknownBecause(file, node, "an if without a known answer cannot be read", hint);
  }
  const taken = evaluate(context, truth.holds ? yes : no);
  if (truth.assumed.length === 0) return taken;
  const other = evaluate(context, truth.holds ? no : yes);
  if (taken.kind === "value" && other.kind === "scalar") return withFallback(taken, other);
  return takeBranch(context, node, taken, truth.assumed);
}

function takeBranch(context: Context, node: Node, taken: Value, assumed: string[]): Value {
  const { file, session } = context;
  const literal = toLiteral(context, node, taken);
  const name = namesIn(literal).find((candidate) => assumed.includes(candidate));
  if (name === undefined) {
    const hint = "write the branch that you want";
    return unknownBecause(file, node, `an if about "${assumed[0]}" cannot be read`, hint);
  }
  const path = positionText(file.arg, file.text, node.from);
  session.note({ path, message: `the branch with "${name}" is taken` });
  return literal;
}

const withFallback = (value: ValueName, { value: fallback }: { value: ValueName["fallback"] }) => ({
  ...value,
  fallback: fallback ?? null,
});

/** The names of the secrets and values in a literal. */
function namesIn(literal: Literal): string[] {
  switch (literal.kind) {
    case "dict":
      return literal.entries.flatMap(({ value }) => namesIn(value));
    case "list":
      return literal.items.flatMap(({ value }) => namesIn(value));
    case "text":
      return literal.parts.flatMap((part) => (typeof part === "string" ? [] : part.name));
    case "secret":
    case "value":
      return [literal.name];
    default:
      return [];
  }
}

export function evaluateBinary(context: Context, node: Node): Value {
  const { file } = context;
  const nodes = childNodes(node).filter(({ name }) => name !== "Comment");
  const [left, operator, right] = [nodes[0], nodes[1], nodes.at(-1)];
  if (!left || !operator || !right) return unreadable(file, node);
  switch (sourceText(file, operator)) {
    case "or":
      return evaluateOr(context, node, evaluate(context, left), right);
    case "and":
      return evaluateAnd(context, node, evaluate(context, left), right);
    case "+":
      return evaluateSum(context, node, left, right);
    case "-":
      return timeArithmetic(context, node, evaluate(context, left), "-", evaluate(context, right));
    case "*": {
      const [value, factor] = [evaluate(context, left), evaluate(context, right)];
      return inMilliseconds(value, factor) ?? unreadable(file, node);
    }
    case "|":
      return evaluateUnion(context, node, left, right);
    default: {
      const truth = condition(context, node);
      return truth && truth.assumed.length === 0
        ? { kind: "scalar", value: truth.holds }
        : unreadable(file, node);
    }
  }
}

function evaluateOr(context: Context, node: Node, left: Value, rightNode: Node): Value {
  const truth = truthOf(left);
  if (!truth) return unreadable(context.file, node);
  const right = (): Value => evaluate(context, rightNode);
  if (truth.assumed.length === 0) return truth.holds ? left : right();
  const other = right();
  if (left.kind === "value" && other.kind === "scalar") return withFallback(left, other);
  const isOptional = left.kind === "value" && left.fallback === null;
  const taken = isOptional && (other.kind === "secret" || other.kind === "value") ? other : left;
  return takeBranch(context, node, taken, namesIn(toLiteral(context, node, taken)));
}

function evaluateAnd(context: Context, node: Node, left: Value, rightNode: Node): Value {
  const truth = truthOf(left);
  if (!truth) return unreadable(context.file, node);
  if (!truth.holds) return left;
  const right = evaluate(context, rightNode);
  return truth.assumed.length === 0 ? right : takeBranch(context, node, right, truth.assumed);
}

/** Strings, lists and numbers are joined by "+", and times are moved by it. */
function evaluateSum(context: Context, node: Node, leftNode: Node, rightNode: Node): Value {
  const { file } = context;
  const [left, right] = [evaluate(context, leftNode), evaluate(context, rightNode)];
  for (const value of [left, right]) {
    if (value.kind === "expression") return { ...value, code: () => sourceText(file, node) };
  }
  if (left.kind === "list" && right.kind === "list") {
    return { ...left, items: [...left.items, ...right.items] };
  }
  if (isText(left) && isText(right)) {
    return joinTexts([left, right] as Literal[], (unknown) => unknown);
  }
  if (left.kind === "scalar" && right.kind === "scalar") {
    const sum = Number(left.value) + Number(right.value);
    const areIntegers = [left.value, right.value, sum].every(Number.isSafeInteger);
    return areIntegers ? { kind: "scalar", value: sum } : unreadable(file, node);
  }
  return timeArithmetic(context, node, left, "+", right);
}

const isText = (value: Value): boolean =>
  value.kind === "text" ||
  value.kind === "secret" ||
  value.kind === "value" ||
  (value.kind === "scalar" && typeof value.value === "string");

function evaluateUnion(context: Context, node: Node, left: Node, right: Node): Literal {
  const dicts = [evaluateLiteral(context, left), evaluateLiteral(context, right)];
  const [first, second] = dicts;
  return first?.kind === "dict" && second?.kind === "dict"
    ? mergeDicts([first, second])
    : unreadable(context.file, node);
}
