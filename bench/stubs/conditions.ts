import type { Attribute, Attributes } from "./units.ts";

/** The names and values of an expression's placeholders. */
export interface Placeholders {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Attributes;
}

/** Evaluates a condition for an item. Supports the functions and operators in tidetable's conditions. */
export function holdsCondition(
  expression: string,
  item: Attributes,
  { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} }: Placeholders,
): boolean {
  const tokens = expression.match(/<=|>=|<>|[()=<>,]|[#:]?\w+/g) ?? [];
  const takeToken = () => tokens.shift() ?? "";
  const valueOfTerm = (term: string): Attribute | undefined =>
    term.startsWith(":") ? values[term] : item[names[term] ?? term];

  // The parser reads both sides even if the left side decides, to consume the tokens.
  const parseOr = (): boolean => parseChain("OR", parseAnd, (left, right) => left || right);
  const parseAnd = (): boolean => parseChain("AND", parseTerm, (left, right) => left && right);
  function parseChain(
    operator: string,
    parsePart: () => boolean,
    join: (left: boolean, right: boolean) => boolean,
  ): boolean {
    let result = parsePart();
    while (tokens[0] === operator) {
      takeToken();
      result = join(result, parsePart());
    }
    return result;
  }
  function parseTerm(): boolean {
    const token = takeToken();
    if (token === "NOT") return !parseTerm();
    if (token === "(") {
      const result = parseOr();
      takeToken();
      return result;
    }
    if (tokens[0] === "(") return callFunction(token);
    return compareValues(valueOfTerm(token), takeToken(), valueOfTerm(takeToken()));
  }
  function callFunction(name: string): boolean {
    const args = [];
    for (let token = takeToken(); token !== ")"; token = takeToken()) args.push(token);
    const value = valueOfTerm(args[1] ?? "");
    if (name === "attribute_not_exists") return value === undefined;
    if (name === "attribute_exists") return value !== undefined;
    if (name === "begins_with") {
      return String(value?.S).startsWith(String(valueOfTerm(args[3] ?? "")?.S));
    }
    throw new Error(`the stub does not know ${name}`);
  }
  return parseOr();
}

function compareValues(
  left: Attribute | undefined,
  operator: string,
  right: Attribute | undefined,
) {
  if (left === undefined || right === undefined) return false;
  if (operator === "=") return JSON.stringify(left) === JSON.stringify(right);
  if (operator === "<>") return JSON.stringify(left) !== JSON.stringify(right);
  const order =
    left.N === undefined
      ? String(left.S) < String(right.S)
        ? -1
        : 1
      : Number(left.N) - Number(right.N);
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  if (operator === ">") return order > 0;
  if (operator === ">=") return order >= 0;
  throw new Error(`the stub does not know ${operator}`);
}
