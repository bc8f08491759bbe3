import type {
  Commented,
  DictLiteral,
  Expression,
  ListLiteral,
  Literal,
} from "../sources/literal.ts";
import type { PythonFile } from "./scopes.ts";
import { relativeText } from "./times.ts";
import { contentOf, evaluateLiteral, toLiteral } from "./to-literal.ts";
import { childNodes, commentText, type Node, sourceText } from "./tree.ts";
import { unreadable } from "./unknown.ts";
import { type Context, evaluate, stringIn, type Value } from "./values.ts";

type Entry = DictLiteral["entries"][number];

/** A dict under construction. As in Python, a later value of a key takes the place of an earlier one. */
class EntryList {
  readonly #entries: Entry[] = [];
  readonly #indexByKey = new Map<string, number>();

  /** Whether the key has a value. */
  has(key: string): boolean {
    return this.#indexByKey.has(key);
  }

  add(entry: Entry): void {
    const index = entry.key === undefined ? undefined : this.#indexByKey.get(entry.key);
    if (index !== undefined) {
      this.#entries[index] = entry;
      return;
    }
    if (entry.key !== undefined) this.#indexByKey.set(entry.key, this.#entries.length);
    this.#entries.push(entry);
  }

  get entries(): Entry[] {
    return this.#entries;
  }
}

export const dictOf = (entries: Entry[]): DictLiteral => ({
  kind: "dict",
  entries,
  isOneLine: false,
  commentsAtEnd: [],
});

export const listOf = (values: Literal[]): ListLiteral => ({
  kind: "list",
  items: values.map((value) => ({ value, commentsAbove: [] })),
  isOneLine: true,
  commentsAtEnd: [],
});

/** Joins dicts: later keys win. */
export function mergeDicts(dicts: readonly DictLiteral[]): DictLiteral {
  const list = new EntryList();
  for (const { entries } of dicts) for (const entry of entries) list.add(entry);
  return dictOf(list.entries);
}

/** The value of a dict's key. */
export const memberOf = (dict: DictLiteral, key: string): Literal | undefined =>
  dict.entries.find((entry) => entry.key === key)?.value;

/** A dict with another value for a key. */
export const setKey = (dict: DictLiteral, key: string, value: Literal): DictLiteral => ({
  ...dict,
  entries: mergeDicts([dict, dictOf([{ key, value, commentsAbove: [] }])]).entries,
  isOneLine: false,
});

export function evaluateDict(context: Context, node: Node): DictLiteral {
  const { file } = context;
  const { parts, ...layout } = bracketParts(file, node);
  const list = new EntryList();
  const writtenKeys = new Set<string>();
  for (const { nodes, ...comments } of parts) {
    const range = rangeOf(nodes);
    const codeEntry = (value: Expression): Entry => ({ ...comments, key: undefined, value });
    const [keyNode, colon, valueNode] = nodes;
    if (keyNode?.name === "**" && colon) {
      for (const entry of spreadEntries(context, colon, range)) list.add(entry);
      continue;
    }
    if (!keyNode || colon?.name !== ":" || !valueNode) {
      list.add(codeEntry(unreadable(file, range)));
      continue;
    }
    const key = evaluateLiteral(context, keyNode);
    const name = stringIn(key);
    if (key.kind === "expression") list.add(codeEntry({ ...key, code: codeOf(file, range) }));
    else if (name === undefined) {
      list.add(
        codeEntry(unreadable(file, range, "a key that is not a string", "write it in quotes")),
      );
    } else if (writtenKeys.has(name)) {
      const subject = `the key "${name}" a second time`;
      list.add(codeEntry(unreadable(file, range, subject, "Python takes the last one; keep one")));
    } else {
      writtenKeys.add(name);
      list.add({ ...comments, key: name, value: entryValue(context, name, valueNode) });
    }
  }
  return { kind: "dict", entries: list.entries, ...layout };
}

/** `max`, `min` and times that are counted from now have a meaning in one place alone. */
export function entryValue(context: Context, key: string, node: Node): Literal {
  const value = evaluate(context, node);
  const isFurthest = key === "last_value_func" && value.kind === "named";
  if (isFurthest && /^(max|min)$/.test(value.name)) return { kind: "scalar", value: value.name };
  if (key === "initial_value" && value.kind === "relative") {
    return { kind: "scalar", value: relativeText(value) };
  }
  return toLiteral(context, node, value);
}

const codeOf = (file: PythonFile, range: { from: number; to: number }) => () =>
  sourceText(file, range);

const rangeOf = (nodes: readonly Node[]) => ({
  name: nodes[0]?.name ?? "",
  from: nodes[0]?.from ?? 0,
  to: nodes.at(-1)?.to ?? 0,
});

function spreadEntries(context: Context, node: Node, range: ReturnType<typeof rangeOf>): Entry[] {
  const value = toLiteral(context, node, evaluate(context, node));
  if (value.kind === "dict") return value.entries;
  const unknown =
    value.kind === "expression"
      ? { ...value, code: codeOf(context.file, range) }
      : unreadable(context.file, range, "a dict inside a dict by **", "write its keys here");
  return [{ key: undefined, value: unknown, commentsAbove: [] }];
}

export function evaluateList(context: Context, node: Node): ListLiteral {
  const { file } = context;
  const { parts, ...layout } = bracketParts(file, node);
  const items = parts.flatMap(({ nodes, ...comments }): ListLiteral["items"] => {
    const [first, second] = nodes as [Node, Node?];
    if (!second) return [{ ...comments, value: evaluateLiteral(context, first) }];
    const isSpread = first.name === "*";
    const spread = isSpread ? toLiteral(context, second, evaluate(context, second)) : undefined;
    if (spread?.kind === "list") return spread.items;
    const range = rangeOf(nodes);
    const hint = "write its elements here";
    return [
      {
        ...comments,
        value:
          spread?.kind === "expression"
            ? { ...spread, code: codeOf(file, range) }
            : unreadable(file, range, "a list inside a list by *", hint),
      },
    ];
  });
  return { kind: "list", items, ...layout };
}

/** `[f(x) for x in LIST]` and `{k: f(k) for k in LIST}` over a list whose elements are known. */
export function evaluateComprehension(context: Context, node: Node): Literal {
  const { file } = context;
  const content = contentOf(node);
  const forIndex = content.findIndex(({ name }) => name === "for");
  const [, target, inWord, iterable, ...conditions] = content.slice(forIndex);
  const refuse = () => unreadable(file, node);
  if (target?.name !== "VariableName" || inWord?.name !== "in" || !iterable) return refuse();
  if (conditions.length > 0) return refuse();
  const list = evaluateLiteral(context, iterable);
  if (list.kind === "expression") return { ...list, code: () => sourceText(file, node) };
  if (list.kind !== "list") return refuse();
  const name = sourceText(file, target);
  const contexts = list.items.map(({ value }) => withLoopValue(context, node, name, value));
  const [first, colon, second] = content.slice(0, forIndex);
  if (!first) return refuse();
  if (node.name !== "DictionaryComprehensionExpression") {
    return { ...listOf(contexts.map((inner) => evaluateLiteral(inner, first))), isOneLine: false };
  }
  if (colon?.name !== ":" || !second) return refuse();
  const entries = contexts.map((inner): DictLiteral | undefined => {
    const key = stringIn(evaluate(inner, first));
    return key === undefined
      ? undefined
      : dictOf([{ key, value: evaluateLiteral(inner, second), commentsAbove: [] }]);
  });
  const known = entries.filter((entry) => entry !== undefined);
  return known.length === entries.length ? mergeDicts(known) : refuse();
}

const withLoopValue = (context: Context, node: Node, name: string, value: Value): Context => ({
  ...context,
  frame: {
    file: context.file,
    functionNode: node,
    values: new Map([[name, value]]),
    outer: context.frame,
  },
});

/** Splits the content of brackets at the commas. Each part has its comments. */
function bracketParts(file: PythonFile, bracket: Node) {
  const parts: (Commented & { nodes: Node[] })[] = [];
  let commentsAbove: string[] = [];
  let lastNode: Node | undefined;
  let isPartOpen = false;
  for (const node of childNodes(bracket).slice(1, -1)) {
    const part = parts.at(-1);
    if (node.name === "Comment") {
      const isOnNewLine = !lastNode || file.text.slice(lastNode.to, node.from).includes("\n");
      if (part && !isOnNewLine && part.commentAfter === undefined) {
        part.commentAfter = commentText(file, node);
      } else {
        commentsAbove.push(commentText(file, node));
      }
      continue;
    }
    if (node.name === ",") isPartOpen = false;
    else if (isPartOpen) part?.nodes.push(node);
    else {
      parts.push({ nodes: [node], commentsAbove });
      commentsAbove = [];
      isPartOpen = true;
    }
    lastNode = node;
  }
  const isOneLine = !sourceText(file, bracket).includes("\n");
  return { parts, commentsAtEnd: commentsAbove, isOneLine };
}
