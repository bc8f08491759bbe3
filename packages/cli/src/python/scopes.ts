import { childNodes, type Node, type SourceTree, sourceText } from "./tree.ts";

/*
 * Which definition a name in a Python file means, by Python's rules for scopes. The index is built
 * once for each file, in one pass.
 */

/** A module, a function, a lambda, a class or a comprehension. */
export interface Scope {
  node: Node;
  outer: Scope | undefined;
  bindings: Map<string, Binding[]>;
}

/** A place where a name gets a value. */
export interface Binding {
  name: string;
  scope: Scope;
  kind: "assignment" | "parameter" | "import" | "function" | "class" | "loop" | "other";
  /** The name where it is defined. */
  node: Node;
  /** The assigned value, the default of a parameter, the list of a loop, the class or the function. */
  value: Node | undefined;
  /** For an import: the dotted name of the imported thing, with leading dots when it is relative. */
  imported?: string;
  /** For a parameter: `*args` or `**kwargs`. */
  isStarred?: boolean;
}

/** A file and what its names mean. */
export interface PythonFile extends SourceTree {
  scopes: Scopes;
}

export interface Scopes {
  module: Scope;
  /** Every use of a name that is no definition, by the name. */
  uses: Map<string, Node[]>;
  /** Scopes by the offset of their node. */
  byOffset: Map<string, Scope>;
}

const scopeNodes =
  /^(Script|FunctionDefinition|LambdaExpression|ClassDefinition|(Array|Dictionary|Set)?ComprehensionExpression)$/;

const definingNodes =
  /(Statement|Definition|ComprehensionExpression|ParamList|NamedExpression|Pattern)$/;

const scopeKey = ({ name, from }: Node) => `${name} ${from}`;

export function indexScopes(file: Pick<SourceTree, "text" | "tree">): Scopes {
  const module: Scope = { node: file.tree.topNode, outer: undefined, bindings: new Map() };
  const scopes: Scopes = { module, uses: new Map(), byOffset: new Map() };
  scopes.byOffset.set(scopeKey(module.node), module);
  let current = module;
  file.tree.iterate({
    // A node is asked for by need: each costs as much as it is deep.
    enter: (cursor) => {
      const { name } = cursor;
      if (scopeNodes.test(name) && name !== "Script") {
        current = { node: cursor.node, outer: current, bindings: new Map() };
        scopes.byOffset.set(scopeKey(current.node), current);
      }
      if (definingNodes.test(name)) {
        for (const definition of definitionsIn(file, cursor.node)) define(current, definition);
      }
      if (name === "VariableName") addTo(scopes.uses, sourceText(file, cursor), cursor.node);
    },
    leave: ({ name }) => {
      if (scopeNodes.test(name) && current.outer) current = current.outer;
    },
  });
  return scopes;
}

type Definition = Omit<Binding, "scope"> & { isOuter?: boolean };

function define(scope: Scope, { isOuter, ...definition }: Definition) {
  const owner = isOuter && scope.outer ? scope.outer : scope;
  addTo(owner.bindings, definition.name, { ...definition, scope: owner });
}

function addTo<T>(lists: Map<string, T[]>, key: string, element: T) {
  const list = lists.get(key);
  if (list) list.push(element);
  else lists.set(key, [element]);
}

type Text = Pick<SourceTree, "text">;

/** The names that one node defines. */
function definitionsIn(file: Text, node: Node): Definition[] {
  switch (node.name) {
    case "AssignStatement":
      return assignedNames(file, node);
    case "UpdateStatement":
    case "NamedExpression":
    case "DeleteStatement":
    case "CapturePattern":
    case "StarPattern":
      return namesAmong(file, childNodes(node).slice(0, 2), "other", node.lastChild ?? undefined);
    case "ForStatement":
      return loopNames(file, childNodes(node));
    case "ArrayComprehensionExpression":
    case "DictionaryComprehensionExpression":
    case "SetComprehensionExpression":
    case "ComprehensionExpression":
      return loopNames(file, childNodes(node));
    case "WithStatement":
    case "TryStatement":
      return namesAfterAs(file, childNodes(node));
    case "ImportStatement":
      return importedNames(file, childNodes(node));
    case "ScopeStatement":
      return childNodes(node).flatMap((child) =>
        namesAmong(file, [child], "other", undefined).flatMap((definition) => [
          definition,
          { ...definition, isOuter: true },
        ]),
      );
    case "FunctionDefinition":
    case "ClassDefinition": {
      const kind = node.name === "ClassDefinition" ? "class" : "function";
      const name = node.getChild("VariableName");
      return name ? namesAmong(file, [name], kind, node).map(inOuterScope) : [];
    }
    case "ParamList":
      return parameterNames(file, childNodes(node));
    default:
      return [];
  }
}

const inOuterScope = (definition: Definition): Definition => ({ ...definition, isOuter: true });

function namesAmong(
  file: Text,
  nodes: readonly Node[],
  kind: Binding["kind"],
  value: Node | undefined,
): Definition[] {
  return nodes.flatMap((node) => {
    if (node.name === "VariableName") return [{ name: sourceText(file, node), kind, node, value }];
    const isPattern = /^(TupleExpression|ArrayExpression|ParenthesizedExpression)$/.test(node.name);
    return isPattern ? namesAmong(file, childNodes(node), "other", value) : [];
  });
}

/** `a = b = value`, `a: Type = value` and `a, b = value`. A type alone defines nothing. */
function assignedNames(file: Text, statement: Node): Definition[] {
  const nodes = childNodes(statement);
  const operators = nodes.flatMap(({ name }, i) => (name === "AssignOp" ? i : []));
  const last = operators.at(-1);
  if (last === undefined) return [];
  const values = nodes.slice(last + 1);
  const value = values.length === 1 ? values[0] : undefined;
  let start = 0;
  return operators.flatMap((end) => {
    const targets = nodes.slice(start, end).filter(({ name }) => name !== "TypeDef");
    start = end + 1;
    const [target] = targets;
    const isSingle = targets.length === 1 && target?.name === "VariableName";
    if (isSingle) return namesAmong(file, targets, value ? "assignment" : "other", value);
    return namesAmong(file, targets, "other", value);
  });
}

/** The names between each `for` and `in`. */
function loopNames(file: Text, nodes: readonly Node[]): Definition[] {
  const definitions: Definition[] = [];
  for (let i = 0; i < nodes.length; i++) {
    if (nodes[i]?.name !== "for") continue;
    const end = nodes.findIndex(({ name }, index) => index > i && name === "in");
    const targets = nodes.slice(i + 1, end).filter(({ name }) => name !== ",");
    const kind = targets.length === 1 ? "loop" : "other";
    definitions.push(...namesAmong(file, targets, kind, nodes[end + 1]));
  }
  return definitions;
}

const namesAfterAs = (file: Text, nodes: readonly Node[]): Definition[] =>
  nodes.flatMap((node, i) =>
    nodes[i - 1]?.name === "as" ? namesAmong(file, [node], "other", nodes[i - 2]) : [],
  );

function importedNames(file: Text, nodes: readonly Node[]): Definition[] {
  const importIndex = nodes.findIndex(({ name }) => name === "import");
  const isFrom = nodes[0]?.name === "from";
  const module = isFrom ? textOf(file, nodes.slice(1, importIndex)) : "";
  const definitions: Definition[] = [];
  let dotted: Node[] = [];
  const finish = () => {
    const asIndex = dotted.findIndex(({ name }) => name === "as");
    const path = textOf(file, asIndex === -1 ? dotted : dotted.slice(0, asIndex));
    const nameNode = asIndex === -1 ? dotted[0] : dotted[asIndex + 1];
    dotted = [];
    if (!nameNode || nameNode.name !== "VariableName") return;
    const name = sourceText(file, nameNode);
    // `import a.b` defines `a`, and `import a.b as c` defines `c` as a.b.
    const whole = isFrom ? `${module}${/[^.]$/.test(module) ? "." : ""}${path}` : path;
    const imported = isFrom || asIndex !== -1 ? whole : name;
    definitions.push({ name, kind: "import", node: nameNode, value: undefined, imported });
  };
  for (const node of nodes.slice(importIndex + 1)) {
    if (node.name === ",") finish();
    else if (!/^([()]|Comment)$/.test(node.name)) dotted.push(node);
  }
  finish();
  return definitions;
}

const textOf = (file: Text, nodes: readonly Node[]): string =>
  nodes.map((node) => sourceText(file, node)).join("");

function parameterNames(file: Text, nodes: readonly Node[]): Definition[] {
  return nodes.flatMap((node, i) => {
    if (node.name !== "VariableName" || nodes[i - 1]?.name === "AssignOp") return [];
    const afterType = nodes[i + 1]?.name === "TypeDef" ? i + 2 : i + 1;
    const value = nodes[afterType]?.name === "AssignOp" ? nodes[afterType + 1] : undefined;
    const isStarred = /^\*/.test(nodes[i - 1]?.name ?? "");
    return [{ name: sourceText(file, node), kind: "parameter", node, value, isStarred }];
  });
}

/** The scope in which a node is evaluated: defaults of parameters belong outside of their function. */
export function scopeAt(scopes: Scopes, node: Node): Scope {
  let inner = node;
  for (let outer = node.parent; outer; outer = outer.parent) {
    const scope = scopes.byOffset.get(scopeKey(outer));
    const isOutside = /^(ParamList|TypeDef)$/.test(inner.name);
    if (scope && scopeNodes.test(outer.name) && !isOutside) return scope;
    inner = outer;
  }
  return scopes.module;
}

/** The definitions of a name that is used at a node. Undefined for a name of Python itself. */
export function findBindings(file: PythonFile, nameNode: Node): Binding[] | undefined {
  const name = sourceText(file, nameNode);
  const start = scopeAt(file.scopes, nameNode);
  for (let scope: Scope | undefined = start; scope; scope = scope.outer) {
    // The names of a class are not seen from its methods.
    if (scope.node.name === "ClassDefinition" && scope !== start) continue;
    const bindings = scope.bindings.get(name);
    if (bindings) return bindings;
  }
  return undefined;
}

/** The only definition of a name. */
export function findBinding(file: PythonFile, nameNode: Node): Binding | undefined {
  const bindings = findBindings(file, nameNode);
  return bindings?.length === 1 ? bindings[0] : undefined;
}

/** The places where a definition is used, without the definition itself. */
export function usesOf(file: PythonFile, binding: Binding): Node[] {
  return (file.scopes.uses.get(binding.name) ?? []).filter(
    (node) =>
      node.from !== binding.node.from &&
      findBindings(file, node)?.some(({ scope }) => scope === binding.scope),
  );
}

/** The functions around a node, the innermost first. */
export function enclosingFunctions(node: Node): Node[] {
  const functions: Node[] = [];
  for (let outer = node.parent; outer; outer = outer.parent) {
    if (outer.name === "FunctionDefinition") functions.push(outer);
  }
  return functions;
}

/**
 * The dotted name of a function or class, as it would be imported: `dlt.sources.rest_api.rest_api_source`.
 * Undefined for anything that this file defines itself.
 */
export function qualifiedName(file: PythonFile, node: Node): string | undefined {
  if (node.name === "VariableName") {
    const bindings = findBindings(file, node);
    if (!bindings) return sourceText(file, node);
    const imports = new Set(bindings.map(({ imported }) => imported));
    return imports.size === 1 ? [...imports][0] : undefined;
  }
  const property = node.name === "MemberExpression" ? node.getChild("PropertyName") : null;
  const object = property && node.firstChild ? qualifiedName(file, node.firstChild) : undefined;
  return property && object !== undefined ? `${object}.${sourceText(file, property)}` : undefined;
}
