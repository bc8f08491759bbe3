import type { Attribute, Attributes } from "./units.ts";

/** What an expression's `#names` and `:values` stand for. */
export interface Terms {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Attributes;
}

/** Whether a condition holds of an item. Knows the words that tidetable's conditions have. */
export function holds(
  expression: string,
  item: Attributes,
  { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} }: Terms,
): boolean {
  const tokens = expression.match(/<=|>=|<>|[()=<>,]|[#:]?\w+/g) ?? [];
  const take = () => tokens.shift() ?? "";
  const termOf = (term: string): Attribute | undefined =>
    term.startsWith(":") ? values[term] : item[names[term] ?? term];

  // Both sides are always read, so that their tokens are gone.
  const either = (): boolean => chain("OR", both, (left, right) => left || right);
  const both = (): boolean => chain("AND", one, (left, right) => left && right);
  function chain(
    word: string,
    part: () => boolean,
    join: (left: boolean, right: boolean) => boolean,
  ): boolean {
    let result = part();
    while (tokens[0] === word) {
      take();
      result = join(result, part());
    }
    return result;
  }
  function one(): boolean {
    const first = take();
    if (first === "NOT") return !one();
    if (first === "(") {
      const result = either();
      take();
      return result;
    }
    if (tokens[0] === "(") return called(first);
    return compared(termOf(first), take(), termOf(take()));
  }
  function called(name: string): boolean {
    const given = [];
    for (let token = take(); token !== ")"; token = take()) given.push(token);
    const value = termOf(given[1] ?? "");
    if (name === "attribute_not_exists") return value === undefined;
    if (name === "attribute_exists") return value !== undefined;
    if (name === "begins_with") {
      return String(value?.S).startsWith(String(termOf(given[3] ?? "")?.S));
    }
    throw new Error(`the stub does not know ${name}`);
  }
  return either();
}

function compared(left: Attribute | undefined, sign: string, right: Attribute | undefined) {
  if (left === undefined || right === undefined) return false;
  if (sign === "=") return JSON.stringify(left) === JSON.stringify(right);
  if (sign === "<>") return JSON.stringify(left) !== JSON.stringify(right);
  const order =
    left.N === undefined
      ? String(left.S) < String(right.S)
        ? -1
        : 1
      : Number(left.N) - Number(right.N);
  if (sign === "<") return order < 0;
  if (sign === "<=") return order <= 0;
  if (sign === ">") return order > 0;
  if (sign === ">=") return order >= 0;
  throw new Error(`the stub does not know ${sign}`);
}
