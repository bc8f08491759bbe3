import { children, type Node, type PythonFile, source } from "./parse.ts";

/*
 * What a name stands for, as far as that can be said without running anything.
 */

/** The functions around a node, from the inside. */
export function functionsAround(node: Node): Node[] {
  const found: Node[] = [];
  for (let outer = node.parent; outer; outer = outer.parent) {
    if (outer.name === "FunctionDefinition") found.push(outer);
  }
  return found;
}

/** The default of a parameter: undefined for a name that is none, null for one without. */
function parameterDefault(file: PythonFile, fn: Node, name: string): Node | null | undefined {
  const parameters = children(fn).find((child) => child.name === "ParamList");
  const nodes = parameters ? children(parameters) : [];
  const at = nodes.findIndex(
    (node, i) =>
      node.name === "VariableName" &&
      source(file, node) === name &&
      nodes[i - 1]?.name !== "AssignOp",
  );
  if (at === -1) return undefined;
  const next = nodes[at + 1]?.name === "TypeDef" ? at + 2 : at + 1;
  return nodes[next]?.name === "AssignOp" ? (nodes[next + 1] ?? null) : null;
}

/**
 * The secret that dlt puts into a parameter: what its default names, or the parameter itself where
 * the default is `dlt.secrets.value`.
 */
export function parameterSecret(file: PythonFile, name: Node): Node | undefined {
  const [inner] = functionsAround(name);
  if (!inner) return undefined;
  const key = `${source(file, name)} in ${inner.from}`;
  // The same name may stand in a file a hundred thousand times.
  if (!file.parameters.has(key)) file.parameters.set(key, secretOf(file, name));
  return file.parameters.get(key);
}

function secretOf(file: PythonFile, name: Node): Node | undefined {
  const text = source(file, name);
  for (const fn of functionsAround(name)) {
    const value = parameterDefault(file, fn, text);
    if (value === undefined) continue;
    if (!value || definitions(file, text, fn).length > 0) return undefined;
    const written = source(file, value);
    if (written === "dlt.secrets.value") return name;
    return written.startsWith("dlt.secrets[") ? value : undefined;
  }
  return undefined;
}

/** Where a name gets its value, inside of one function (or of the module, outside of all). */
function definitions(file: PythonFile, name: string, fn: Node | undefined): Node[] {
  return uses(file, name).filter(
    (node) => isTarget(node) && functionsAround(node)[0]?.from === fn?.from,
  );
}

function uses(file: PythonFile, name: string): Node[] {
  const found: Node[] = [];
  file.tree.iterate({
    enter: ({ name: kind, node }) => {
      if (kind === "VariableName" && source(file, node) === name) found.push(node);
    },
  });
  return found;
}

/** Left of a `=`, also as `name: Type = …`. */
const isTarget = (node: Node) =>
  node.parent?.name === "AssignStatement" &&
  /^(AssignOp|TypeDef)$/.test(node.nextSibling?.name ?? "");

export type Resolved = { value: Node } | { wrong: Node; what: string };

/** The one value of a variable, if nothing can change it in between. */
export function variable(file: PythonFile, name: Node): Resolved {
  const text = source(file, name);
  const around = [...functionsAround(name), undefined];
  const isParameter = around.some((fn) => fn && parameterDefault(file, fn, text) !== undefined);
  const scope = around.find((fn) => definitions(file, text, fn).length > 0);
  const [first, second] = definitions(file, text, scope);
  if (!first || isParameter) return { wrong: name, what: "a name without one value in this file" };
  if (second) return { wrong: second, what: "a name that gets a value twice" };

  const changed = uses(file, text).find(
    (node) =>
      mayChange(file, node) &&
      (scope === undefined || functionsAround(node).some(({ from }) => from === scope.from)),
  );
  if (changed) return { wrong: changed, what: "a dict that may change here" };
  const value = first.parent?.lastChild;
  return value && value.name !== "TypeDef"
    ? { value }
    : { wrong: first, what: "a name without one value in this file" };
}

const readers =
  /^(print|pprint|len|str|repr|(\w+\.)*(rest_api_sources?|rest_api_resources|dumps|deepcopy))$/;
const readingMethods = /^(get|items|keys|values|copy)$/;

/** Whether a use of a dict's name could change the dict: `config["a"] = …`, `config.update(…)`, `fill(config)`. */
function mayChange(file: PythonFile, use: Node): boolean {
  let node = use;
  while (node.parent?.name === "MemberExpression" && node.parent.firstChild?.from === node.from) {
    node = node.parent;
  }
  const { parent, nextSibling } = node;
  switch (parent?.name) {
    case "AssignStatement":
      return node.from !== use.from || node.to !== use.to
        ? /^(AssignOp|,)$/.test(nextSibling?.name ?? "")
        : nextSibling?.name === ",";
    case "UpdateStatement":
      return nextSibling?.name === "UpdateOp";
    case "DeleteStatement":
      return true;
    case "CallExpression":
      return !readingMethods.test(source(file, node.lastChild ?? node));
    case "ArgList": {
      const callee = parent.parent?.firstChild;
      const isKeyword = nextSibling?.name === "AssignOp";
      return !isKeyword && !(callee && readers.test(source(file, callee)));
    }
    default:
      return false;
  }
}
