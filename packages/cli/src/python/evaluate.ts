import { type Literal, MAX_DEPTH } from "../sources/literal.ts";
import { evaluateCall } from "./calls.ts";
import { evaluateBinary, evaluateConditional, evaluateNot } from "./conditions.ts";
import { evaluateComprehension, evaluateDict, evaluateList } from "./containers.ts";
import { evaluateMember } from "./members.ts";
import { evaluateName } from "./names.ts";
import { evaluateFormatString, evaluateStrings } from "./strings.ts";
import { contentOf } from "./to-literal.ts";
import { decodeNumber } from "./tokens.ts";
import { type Node, sourceText } from "./tree.ts";
import { unreadable } from "./unknown.ts";
import { type Context, evaluate, type Value } from "./values.ts";

/** The dispatch over the kinds of expressions. Code without a known value stays code. */
export function evaluateNode(outer: Context, node: Node): Value {
  const context = { ...outer, depth: outer.depth + 1 };
  const { file, session } = context;
  if (context.depth > MAX_DEPTH + 1) {
    return unreadable(file, node, "code that is nested this deeply", "a config is not");
  }
  if (!session.spend(1)) return unreadable(file, node, "so large a config", "a config is smaller");
  switch (node.name) {
    case "DictionaryExpression":
      return evaluateDict(context, node);
    case "ArrayExpression":
    case "TupleExpression":
      return evaluateList(context, node);
    case "ArrayComprehensionExpression":
    case "DictionaryComprehensionExpression":
    case "ComprehensionExpression":
      return evaluateComprehension(context, node);
    case "ParenthesizedExpression": {
      const [inner, ...otherNodes] = contentOf(node);
      return inner && otherNodes.length === 0 ? evaluate(context, inner) : unreadable(file, node);
    }
    case "String":
    case "ContinuedString":
      return evaluateStrings(context, node);
    case "FormatString":
      return evaluateFormatString(context, node);
    case "Number":
      return evaluateNumber(context, node);
    case "UnaryExpression":
      return node.firstChild?.name === "not"
        ? evaluateNot(context, node)
        : evaluateNumber(context, node);
    case "Boolean":
      return { kind: "scalar", value: sourceText(file, node) === "True" };
    case "None":
      return { kind: "scalar", value: null };
    case "VariableName":
      return evaluateName(context, node);
    case "MemberExpression":
      return evaluateMember(context, node);
    case "CallExpression":
      return evaluateCall(context, node);
    case "BinaryExpression":
      return evaluateBinary(context, node);
    case "ConditionalExpression":
      return evaluateConditional(context, node);
    case "LambdaExpression":
      return { kind: "function", context, node };
    default:
      return unreadable(file, node);
  }
}

function evaluateNumber({ file }: Context, node: Node): Literal {
  const [, sign, digits] = /^([-+]?)\s*([\d.][.\w+-]*)$/.exec(sourceText(file, node)) ?? [];
  const value = digits && decodeNumber(digits);
  if (typeof value !== "number") return unreadable(file, node);
  const number = { kind: "scalar" as const, value: sign === "-" ? -value : value };
  const isFloat =
    Number.isInteger(value) && /[.e]/i.test(digits ?? "") && !/^0x/i.test(digits ?? "");
  return isFloat ? { ...number, isFloat } : number;
}
