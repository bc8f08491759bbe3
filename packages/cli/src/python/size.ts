import type { Literal } from "../sources/literal.ts";

interface Size {
  /** How many literals there are, this one included. */
  members: number;
  depth: number;
}

/** A part that stands in many places is measured once. */
const sizes = new WeakMap<Literal, Size>();

export function literalSize(literal: Literal): Size {
  const measured = sizes.get(literal);
  if (measured) return measured;
  const size = { members: 1, depth: 1 };
  for (const { value } of membersOf(literal)) {
    const inner = literalSize(value);
    size.members += inner.members;
    size.depth = Math.max(size.depth, inner.depth + 1);
  }
  sizes.set(literal, size);
  return size;
}

function membersOf(literal: Literal): readonly { value: Literal }[] {
  if (literal.kind === "dict") return literal.entries;
  return literal.kind === "list" ? literal.items : [];
}
