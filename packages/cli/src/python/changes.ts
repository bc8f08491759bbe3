import { argumentsOf, type CallArgument } from "./arguments.ts";
import { type Binding, findBindings, type PythonFile, qualifiedName, usesOf } from "./scopes.ts";
import { type Node, sourceText } from "./tree.ts";

/*
 * Where a file changes a dict or a list after it was made: `config["a"] = …`, `config.update(…)`,
 * `fill(config)`. Such a change reaches every name that may stand for the same dict.
 */

/** The first change that reaches a definition's value. */
export function changeOf(file: PythonFile, binding: Binding): Node | undefined {
  let changes = changesByFile.get(file);
  if (!changes) {
    changes = findChanges(file);
    changesByFile.set(file, changes);
  }
  return changes.get(binding);
}

const changesByFile = new WeakMap<PythonFile, Map<Binding, Node>>();

function findChanges(file: PythonFile): Map<Binding, Node> {
  const changes = new Map<Binding, Node>();
  const open: [Node, Node][] = [...file.scopes.uses.values()]
    .flat()
    .flatMap((use) => changedNodes(file, use).map((node): [Node, Node] => [node, use]))
    .sort(([, a], [, b]) => a.from - b.from);
  for (let next = open.shift(); next; next = open.shift()) {
    const [node, cause] = next;
    for (const name of namesIn(file, node)) {
      for (const binding of findBindings(file, name) ?? []) {
        if (changes.has(binding)) continue;
        changes.set(binding, cause);
        for (const source of valuesOf(file, binding)) open.push([source, cause]);
      }
    }
  }
  return changes;
}

/** What a use of a name changes: the name itself, and what is put into it. */
function changedNodes(file: PythonFile, use: Node): Node[] {
  let node = use;
  while (node.parent?.name === "MemberExpression" && node.parent.firstChild?.from === node.from) {
    node = node.parent;
  }
  const { parent, nextSibling } = node;
  const isPart = node.to !== use.to;
  switch (parent?.name) {
    case "AssignStatement": {
      const isTarget = /^(AssignOp|,)$/.test(nextSibling?.name ?? "");
      const value = parent.lastChild;
      return isPart && isTarget && value ? [use, value] : [];
    }
    case "UpdateStatement":
      return nextSibling?.name === "UpdateOp" ? [use] : [];
    case "DeleteStatement":
      return isPart ? [use] : [];
    case "CallExpression":
      if (parent.firstChild?.from !== node.from) return [];
      return isPart && changingMethods.test(sourceText(file, node.lastChild ?? node))
        ? [use, ...argumentsOf(file, parent).map(({ value }) => value)]
        : [];
    case "ArgList": {
      const isKeyword = nextSibling?.name === "AssignOp";
      return isKeyword || !parent.parent || mayHandOn(file, parent.parent) ? [] : [use];
    }
    default:
      return [];
  }
}

const changingMethods =
  /^(append|extend|insert|remove|pop|popitem|clear|update|setdefault|sort|reverse|__setitem__|__delitem__)$/;

/** Functions that only read what they are given. */
const readingFunctions =
  /^(print|pprint(\.pprint)?|len|str|repr|dict|list|tuple|set|frozenset|sorted|enumerate|zip|map|filter|any|all|isinstance|type|(\w+\.)*(rest_api_sources?|rest_api_resources|RESTClient|dumps|copy|deepcopy|cast)|dlt\..+|(logging|logger)\..+)$/;

/** Whether a call leaves its arguments alone, or hands them to a function of this file. */
function mayHandOn(file: PythonFile, call: Node): boolean {
  const callee = call.firstChild;
  if (!callee || call.name !== "CallExpression") return true;
  if (callee.name === "VariableName") {
    const bindings = findBindings(file, callee);
    if (bindings?.every(({ kind }) => kind === "function")) return true;
  }
  const isMethod = callee.name === "MemberExpression";
  const method = isMethod ? sourceText(file, callee.lastChild ?? callee) : "";
  if (changingMethods.test(method)) return true;
  if (
    /^(get|items|keys|values|join|with_resources|select|apply_hints|format|run|extract|info|debug|warning|error)$/.test(
      method,
    )
  )
    return true;
  return readingFunctions.test(qualifiedName(file, callee) ?? "");
}

/** The expressions from which a definition's value comes: a change of the value may change them, too. */
function valuesOf(file: PythonFile, binding: Binding): Node[] {
  if (binding.kind === "function" || binding.kind === "class" || binding.kind === "import")
    return [];
  if (binding.kind !== "parameter") return binding.value ? [binding.value] : [];
  return argumentsFor(file, binding).map(({ value }) => value);
}

function argumentsFor(file: PythonFile, parameter: Binding): CallArgument[] {
  const name = parameter.scope.node.getChild("VariableName");
  const functions = name ? findBindings(file, name) : undefined;
  const [functionBinding] = functions ?? [];
  if (!functionBinding || functionBinding.kind !== "function") return [];
  return usesOf(file, functionBinding).flatMap((use) =>
    use.parent?.name === "CallExpression" ? argumentsOf(file, use.parent) : [],
  );
}

/** The names in an expression that may stand for a part of its value. */
function namesIn(file: PythonFile, expression: Node): Node[] {
  const names: Node[] = [];
  const { from, to } = expression;
  file.tree.iterate({
    from,
    to,
    enter: (cursor) => {
      if (cursor.to <= from || cursor.from >= to) return false;
      if (cursor.name === "CallExpression" && cursor.from >= from) {
        const callee = cursor.node.firstChild;
        if (callee && readingFunctions.test(qualifiedName(file, callee) ?? "")) return false;
      }
      if (cursor.name === "VariableName" && cursor.from >= from) names.push(cursor.node);
      return true;
    },
  });
  return names;
}
