import { argumentsOf, type CallArgument } from "./arguments.ts";
import type { PythonFile } from "./scopes.ts";
import { decodeString } from "./tokens.ts";
import { childNodes, type Node, sourceText } from "./tree.ts";

/*
 * What a method, an argument of a run or an assignment does to a source. Each has a meaning here, has
 * none in DynamoDB, or is refused: nothing is dropped in silence.
 */

/** What is done to the source, or to one of its resources. */
export type Effect =
  | { kind: "select"; names: string[]; args: CallArgument[]; place: Node }
  | { kind: "hints"; resource: string | undefined; args: CallArgument[]; place: Node }
  | { kind: "step"; resource: string | undefined; step: StepKind; code: Node; place: Node }
  | { kind: "refused"; message: string; hint: string; place: Node }
  | { kind: "remark"; message: string; place: Node };

export type StepKind = "filter" | "map" | "yield_map";

/** What an expression holds: the source, all of its resources, or a single one. */
export type Carried =
  | { what: "source" }
  | { what: "resources" }
  | { what: "each" }
  | { what: "resource"; name: string };

export const resources: Carried = { what: "resources" };

export const otherUseHint = "leave it out, or write what it does into the dict";

export const harmlessAttributes =
  /^(name|section|schema|state|exhausted|selected|write_disposition|source_name|discover_schema)$/;

/** `with_resources` and the like. "none" changes nothing here, "run" runs the source. */
export function methodEffect(
  file: PythonFile,
  call: Node,
  method: string,
  carried: Carried,
): Effect | "none" | "values" | "run" | "read" {
  const args = argumentsOf(file, call);
  const resource = carried.what === "resource" ? carried.name : undefined;
  const [first] = args;
  switch (method) {
    case "with_resources":
    case "select":
      return { kind: "select", names: [], args, place: call };
    case "apply_hints":
      return { kind: "hints", resource, args: namedHints(args), place: call };
    case "add_filter":
    case "add_map":
    case "add_yield_map":
      if (!first || args.length > 1) break;
      return { kind: "step", resource, step: stepKinds[method], code: first.value, place: call };
    case "add_limit":
      return {
        kind: "refused",
        message: "add_limit reads a part only",
        hint: "leave it out, and run with --limit-pages for a sample",
        place: call,
      };
    case "parallelize":
    case "clone":
    case "copy":
      return "none";
    case "values":
      return "values";
    case "keys":
    case "items":
    case "get":
    case "discover_schema":
      return "read";
    case "run":
      return "run";
    default:
  }
  const hint = otherUseHint;
  return { kind: "refused", message: `${method} cannot be read`, hint, place: call };
}

const stepKinds = { add_filter: "filter", add_map: "map", add_yield_map: "yield_map" } as const;

const hintParameters = [
  "table_name",
  "parent_table_name",
  "write_disposition",
  "columns",
  "primary_key",
  "merge_key",
  "incremental",
  "schema_contract",
];

const namedHints = (args: readonly CallArgument[]): CallArgument[] =>
  args.map((argument, i) =>
    argument.keyword === undefined && argument.stars === ""
      ? { ...argument, keyword: hintParameters[i] }
      : argument,
  );

const runHints = /^(write_disposition|primary_key|columns|schema_contract|table_name)$/;

/** The arguments of `pipeline.run` beside the source. */
export function runEffects(call: Node, args: readonly CallArgument[]): Effect[] {
  const hints = args.filter(({ keyword }) => keyword !== undefined && runHints.test(keyword));
  const effects: Effect[] =
    hints.length > 0 ? [{ kind: "hints", resource: undefined, args: hints, place: call }] : [];
  for (const { keyword, value } of args) {
    if (keyword === "refresh") {
      const hint = "leave it out; `tidetable run --full-refresh` reads everything again";
      effects.push({ kind: "refused", message: "refresh cannot be read", hint, place: value });
    } else if (
      keyword !== undefined &&
      /^(destination|dataset_name|credentials|staging|table_format|loader_file_format|schema)$/.test(
        keyword,
      )
    ) {
      const message = `${keyword} means nothing in DynamoDB and has no effect`;
      effects.push({ kind: "remark", message, place: value });
    }
  }
  return effects;
}

/** What a statement that begins with a name does to what the name holds. */
export function changeEffects(file: PythonFile, use: Node, carried: Carried): Effect[] {
  const chain = chainFrom(file, use);
  const { top, steps } = chain;
  const isStatement = top.parent?.name === "ExpressionStatement";
  const isAssigned = top.parent?.name === "AssignStatement" && top.nextSibling?.name === "AssignOp";
  if ((!isStatement && !isAssigned) || steps.length === 0) return [];
  const effects: Effect[] = [];
  let current = carried;
  for (const step of steps) {
    if (step.call) {
      const effect = methodEffect(file, step.call, step.name, current);
      if (effect === "run") return [];
      if (typeof effect === "object") effects.push(conditional(file, use, effect));
    } else if (isAssigned && step.node.from === top.from && step.node.to === top.to) {
      effects.push(conditional(file, use, assignedAttribute(step.name, top, current)));
    } else if (current.what === "source" && /^(selected_)?resources$/.test(step.name)) {
      current = resources;
    } else if (
      current.what !== "resource" &&
      current.what !== "each" &&
      !harmlessAttributes.test(step.name)
    ) {
      current = { what: "resource", name: step.name };
    }
  }
  return effects;
}

/** `source.x.write_disposition = "merge"` and `source.max_table_nesting = 0`. */
function assignedAttribute(name: string, member: Node, carried: Carried): Effect {
  const value = member.parent?.lastChild;
  const resource = carried.what === "resource" ? carried.name : undefined;
  if (value && /^(write_disposition|schema_contract|selected)$/.test(name)) {
    const args = [{ keyword: name, value, stars: "" as const }];
    return { kind: "hints", resource, args, place: member };
  }
  if (/^(max_table_nesting|root_key|section)$/.test(name)) {
    const message = `${name} means nothing in DynamoDB and has no effect`;
    return { kind: "remark", message, place: member };
  }
  return {
    kind: "refused",
    message: "this change of the source cannot be read",
    hint: otherUseHint,
    place: member,
  };
}

/** A change that happens only sometimes has no meaning for a mirror. */
function conditional(file: PythonFile, use: Node, effect: Effect): Effect {
  for (let outer = use.parent; outer; outer = outer.parent) {
    if (/^(FunctionDefinition|Script)$/.test(outer.name)) break;
    const isMain = outer.name === "IfStatement" && /^if\s+__name__\b/.test(sourceText(file, outer));
    if (/^(If|While|Match)Statement$/.test(outer.name) && !isMain) {
      const message = "a change of the source under a condition cannot be read";
      return { kind: "refused", message, hint: otherUseHint, place: effect.place };
    }
  }
  return effect;
}

interface ChainStep {
  name: string;
  node: Node;
  call: Node | undefined;
}

/** `a.b["c"].d(…)` as its steps b, c and d. */
export function chainFrom(file: PythonFile, use: Node): { top: Node; steps: ChainStep[] } {
  const steps: ChainStep[] = [];
  let top = use;
  for (;;) {
    const { parent } = top;
    if (parent?.name !== "MemberExpression" || parent.firstChild?.from !== top.from) break;
    const property = parent.getChild("PropertyName");
    const name = property ? sourceText(file, property) : elementName(file, parent);
    const call =
      parent.parent?.name === "CallExpression" && parent.parent.firstChild?.to === parent.to
        ? parent.parent
        : undefined;
    steps.push({ name: name ?? "[…]", node: parent, call });
    top = call ?? parent;
  }
  return { top, steps };
}

export function elementName(file: PythonFile, member: Node): string | undefined {
  const [, open, key, close] = childNodes(member);
  if (open?.name !== "[" || key?.name !== "String" || close?.name !== "]") return undefined;
  return decodeString(sourceText(file, key));
}
