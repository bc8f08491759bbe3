import { argumentsOf, type CallArgument } from "./arguments.ts";
import { exitsOf } from "./functions.ts";
import { callsOf, parameterNamesOf } from "./parameters.ts";
import {
  type Binding,
  enclosingFunctions,
  findBinding,
  findBindings,
  type PythonFile,
  qualifiedName,
  usesOf,
} from "./scopes.ts";
import {
  type Carried,
  chainFrom,
  changeEffects,
  type Effect,
  elementName,
  harmlessAttributes,
  methodEffect,
  otherUseHint,
  resources,
  runEffects,
} from "./source-changes.ts";
import { childNodes, type Node, sourceText } from "./tree.ts";

/*
 * What a file does with its source after it was made. Every use is known to have a meaning here, to
 * have none in DynamoDB, or it is refused: nothing is dropped in silence.
 */

/** A way in which the file runs the source. */
export interface Outcome {
  place: Node;
  effects: Effect[];
  /** False where the source is only looked at, or handed out of the file. */
  isRun: boolean;
}

/** Follows a source through its file, and finds the ways in which it is run. */
export function findOutcomes(file: PythonFile, call: Node): Outcome[] {
  if (call.name !== "CallExpression") return [];
  const callee = call.firstChild;
  const carried = callee && /resources$/.test(sourceText(file, callee)) ? resources : source;
  const outcomes = new Follower(file).follow(call, carried, decoratorEffects(file, call));
  const runs = outcomes.filter(({ isRun }) => isRun);
  if (runs.length > 0) return runs;
  return [{ place: call, effects: outcomes.flatMap(({ effects }) => effects), isRun: false }];
}

const source: Carried = { what: "source" };

/** `@dlt.source(schema_contract=…)` of the functions around the call. */
function decoratorEffects(file: PythonFile, call: Node): Effect[] {
  const decorators = enclosingFunctions(call).flatMap(({ parent }) =>
    parent?.name === "DecoratedStatement" ? parent.getChildren("Decorator") : [],
  );
  return decorators.flatMap((decorator): Effect[] => {
    if (!/^@\s*dlt\.(source|resource)\b/.test(sourceText(file, decorator))) return [];
    const args = argumentsOf(file, decorator).filter(
      ({ keyword }) => keyword === "schema_contract",
    );
    return args.length > 0 ? [{ kind: "hints", resource: undefined, args, place: decorator }] : [];
  });
}

class Follower {
  readonly #file: PythonFile;
  /** The functions and variables that are being followed: a circle ends. */
  readonly #seen = new Set<string>();

  constructor(file: PythonFile) {
    this.#file = file;
  }

  /** Follows the value of an expression to where it is used. */
  follow(node: Node, carried: Carried, effects: readonly Effect[]): Outcome[] {
    const { parent } = node;
    switch (parent?.name) {
      case "ParenthesizedExpression":
      case "AwaitExpression":
        return this.follow(parent, carried, effects);
      case "MemberExpression":
        if (parent.firstChild?.from === node.from)
          return this.#followMember(parent, carried, effects);
        return this.#refuse(node, effects, "a use of the source that is not read");
      case "ArgList":
        return this.#followArgument(node, parent, carried, effects);
      case "ArrayExpression":
      case "TupleExpression":
        return this.#followList(node, parent, carried, effects);
      case "AssignStatement":
        return this.#followAssignment(node, parent, carried, effects);
      case "ReturnStatement":
      case "YieldStatement":
      case "YieldExpression":
        return this.#followExit(parent, selected(carried, node, effects));
      case "ForStatement":
        return this.#followLoop(parent, carried, effects);
      case "ExpressionStatement":
      case "StatementGroup":
      case "IfStatement":
      case "AssertStatement":
        return this.#end(node, effects);
      default:
        return this.#refuse(node, effects, "a use of the source that is not read");
    }
  }

  /** The source is looked at, or leaves the file. */
  #end(place: Node, effects: readonly Effect[]): Outcome[] {
    return [{ place, effects: [...effects], isRun: false }];
  }

  #refuse(
    place: Node,
    effects: readonly Effect[],
    message: string,
    hint = otherUseHint,
  ): Outcome[] {
    const refused: Effect = { kind: "refused", message, hint, place };
    return [{ place, effects: [...effects, refused], isRun: true }];
  }

  /** `source.resources["x"]`, `source.x`, `source.with_resources(…)`. */
  #followMember(member: Node, carried: Carried, effects: readonly Effect[]): Outcome[] {
    const file = this.#file;
    const property = member.getChild("PropertyName");
    const call = member.parent?.name === "CallExpression" ? member.parent : undefined;
    if (!property) {
      const name = elementName(file, member);
      if (name === undefined || carried.what === "resource" || carried.what === "each") {
        return this.#refuse(member, effects, "a part of the source that is not read");
      }
      return this.follow(member, { what: "resource", name }, effects);
    }
    const name = sourceText(file, property);
    if (call) return this.#followMethod(call, name, carried, effects);
    const attribute = member.parent?.name === "AssignStatement" ? member.parent : undefined;
    if (attribute && member.nextSibling?.name === "AssignOp") return this.#end(member, effects);
    if (carried.what === "source" && /^(selected_)?resources$/.test(name)) {
      return this.follow(member, resources, effects);
    }
    if (harmlessAttributes.test(name)) return this.#end(member, effects);
    if (carried.what === "source" || carried.what === "resources") {
      return this.follow(member, { what: "resource", name }, effects);
    }
    return this.#refuse(member, effects, "a part of the source that is not read");
  }

  #followMethod(
    call: Node,
    method: string,
    carried: Carried,
    effects: readonly Effect[],
  ): Outcome[] {
    const effect = methodEffect(this.#file, call, method, carried);
    if (effect === "none") return this.follow(call, carried, effects);
    if (effect === "values") return this.follow(call, { what: "each" }, effects);
    if (effect === "run") {
      return this.#addRun(call, argumentsOf(this.#file, call), selected(carried, call, effects));
    }
    if (effect === "read") return this.#end(call, effects);
    return this.follow(call, carried, [...effects, effect]);
  }

  #addRun(call: Node, args: readonly CallArgument[], effects: readonly Effect[]): Outcome[] {
    return [{ place: call, effects: [...effects, ...runEffects(call, args)], isRun: true }];
  }

  #followArgument(node: Node, list: Node, carried: Carried, effects: readonly Effect[]): Outcome[] {
    const file = this.#file;
    const call = list.parent;
    const callee = call?.name === "Decorator" ? list.prevSibling : call?.firstChild;
    if (!call || !callee) return this.#end(node, effects);
    const parameter = parameterFor(file, call, node);
    if (parameter) return this.#followBinding(parameter, carried, effects);
    const name = qualifiedName(file, callee) ?? sourceText(file, callee);
    const method = /[^.]*$/.exec(name)?.[0] ?? "";
    if (/^(list|tuple|iter)$/.test(name) && carried.what !== "source") {
      return this.follow(call, carried, effects);
    }
    if (readers.test(method)) return this.#end(node, effects);
    if (runners.test(method) || /dlt_assets$/.test(name)) {
      const others = argumentsOf(file, call).filter(({ value }) => value.from !== node.from);
      return this.#addRun(call, others, selected(carried, node, effects));
    }
    return this.#refuse(node, effects, "the source is handed to a function that is not read");
  }

  /** `[source, other()]`: what stands beside the source is no part of it. */
  #followList(node: Node, list: Node, carried: Carried, effects: readonly Effect[]): Outcome[] {
    const others = childNodes(list)
      .slice(1, -1)
      .filter(({ name, from }) => !/^(,|\*|Comment)$/.test(name) && from !== node.from);
    const beside = others
      .filter((other) => !this.#isSource(other))
      .map(
        (place): Effect => ({
          kind: "refused",
          message: "another resource beside the dict",
          hint: besideHint,
          place,
        }),
      );
    const names = [node, ...others].flatMap((element) => resourceName(this.#file, element) ?? []);
    const single = carried.what === "resource" ? [carried.name, ...names] : names;
    const all = carried.what === "resource" ? selected(carried, node, effects, single) : effects;
    return this.follow(list, carried.what === "resource" ? source : carried, [...all, ...beside]);
  }

  /** Whether an expression is a source of its own, or a part of this one: it is chosen by its name. */
  #isSource(node: Node): boolean {
    const code = sourceText(this.#file, node);
    const root = rootName(node);
    const bindings = root && findBindings(this.#file, root);
    const definitions = (bindings ?? []).flatMap(({ value }) => (value ? [value] : []));
    return [code, ...definitions.map((value) => sourceText(this.#file, value))].some((text) =>
      /\brest_api_(source|resources)\b/.test(text),
    );
  }

  #followAssignment(
    node: Node,
    statement: Node,
    carried: Carried,
    effects: readonly Effect[],
  ): Outcome[] {
    const target = statement.firstChild;
    const isValue = statement.lastChild?.from === node.from;
    if (!target || !isValue || target.name !== "VariableName") {
      return this.#refuse(node, effects, "the source is put where it is not followed");
    }
    return this.#followName(target, carried, effects);
  }

  /** What the file does with a variable: the changes in their order, then the other uses. */
  #followName(target: Node, carried: Carried, effects: readonly Effect[]): Outcome[] {
    const bindings = findBindings(this.#file, target) ?? [];
    const [binding] = bindings;
    if (!binding || bindings.length > 1) {
      const hint = "give each its own name";
      return this.#refuse(target, effects, "a source in a name that gets several values", hint);
    }
    return this.#followBinding(binding, carried, effects);
  }

  #followBinding(binding: Binding, carried: Carried, effects: readonly Effect[]): Outcome[] {
    const file = this.#file;
    const key = `name ${binding.node.from}`;
    if (this.#seen.has(key)) return [];
    this.#seen.add(key);
    const uses = usesOf(file, binding);
    const changes = uses.flatMap((use) => changeEffects(file, use, carried));
    const all = [...effects, ...changes];
    const outcomes = uses
      .filter((use) => changeEffects(file, use, carried).length === 0)
      .flatMap((use) => this.follow(use, carried, all));
    this.#seen.delete(key);
    return outcomes.length > 0 ? outcomes : this.#end(binding.node, all);
  }

  #followExit(exit: Node, effects: readonly Effect[]): Outcome[] {
    const [functionNode] = enclosingFunctions(exit);
    const key = `function ${functionNode?.from}`;
    if (!functionNode || this.#seen.has(key)) return [];
    this.#seen.add(key);
    const beside = exitsOf(this.#file, functionNode)
      .filter((other) => other.from !== exit.from && !this.#isEmptyExit(other))
      .map((place): Effect => {
        return {
          kind: "refused",
          message: "another resource beside the dict",
          hint: besideHint,
          place,
        };
      });
    const calls = callsOf(this.#file, functionNode);
    const all = [...effects, ...beside];
    const outcomes = calls.flatMap((call) => this.follow(call, source, all));
    this.#seen.delete(key);
    return calls.length > 0 ? outcomes : this.#end(exit, all);
  }

  #isEmptyExit(exit: Node): boolean {
    const content = childNodes(exit).at(-1);
    return !content || /^(return|yield|None)$/.test(content.name) || this.#isSource(content);
  }

  /** `for resource in resources:` does the same to each. Over a source, the rows are read in Python. */
  #followLoop(loop: Node, carried: Carried, effects: readonly Effect[]): Outcome[] {
    const target = loop.getChild("VariableName");
    if (carried.what !== "source" && carried.what !== "resource" && target) {
      return this.#followName(target, { what: "each" }, effects);
    }
    return this.#end(loop, effects);
  }
}

/** Where a single resource is run or handed out, the others are not. */
function selected(
  carried: Carried,
  place: Node,
  effects: readonly Effect[],
  names?: string[],
): Effect[] {
  if (carried.what !== "resource") return [...effects];
  return [...effects, { kind: "select", names: names ?? [carried.name], args: [], place }];
}

/** The name in `source.orders` and `source.resources["orders"]`. */
function resourceName(file: PythonFile, node: Node): string | undefined {
  const root = rootName(node);
  if (!root) return undefined;
  const [step] = chainFrom(file, root).steps.filter(
    ({ name }) => !/^(selected_)?resources$/.test(name),
  );
  return step && !step.call ? step.name : undefined;
}

const besideHint =
  "only the dict of rest_api_source is mirrored; write it as a resource of the dict, or leave it out";
/** Functions and methods to which a source is handed only to be looked at. */
const readers =
  /^(print|pprint|len|str|repr|type|isinstance|check_connection|info|debug|echo|next|dict|enumerate|is_source_config_ready)$/;
/** Methods that run a source. */
const runners = /^(run|extract|add_run|run_pipeline)$/;
/** The parameter of a function of this file that a call's argument becomes. */
function parameterFor(file: PythonFile, call: Node, argument: Node): Binding | undefined {
  const callee = call.firstChild;
  const binding = callee?.name === "VariableName" ? findBinding(file, callee) : undefined;
  if (binding?.kind !== "function" || !binding.value) return undefined;
  const scope = file.scopes.byOffset.get(`${binding.value.name} ${binding.value.from}`);
  const args = argumentsOf(file, call);
  const given = args.find(({ value }) => value.from === argument.from);
  const positional = args.filter(({ keyword }) => keyword === undefined);
  const position = given ? positional.indexOf(given) : -1;
  const name = given?.keyword ?? parameterNamesOf(file, binding.value)[position];
  return name === undefined ? undefined : scope?.bindings.get(name)?.[0];
}

function rootName(node: Node): Node | undefined {
  let root: Node | null = node;
  while (root && /^(MemberExpression|CallExpression)$/.test(root.name)) root = root.firstChild;
  return root?.name === "VariableName" ? root : undefined;
}
