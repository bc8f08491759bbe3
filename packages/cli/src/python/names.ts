import { childNodes, type Node, type PythonFile, sourceText } from "./parse.ts";

/*
 * Finds the values of names without running the file. A name has no value if the value could be
 * different at run time.
 */

/** The functions around a node, the innermost first. */
export function enclosingFunctions(node: Node): Node[] {
  const functions: Node[] = [];
  for (let outer = node.parent; outer; outer = outer.parent) {
    if (outer.name === "FunctionDefinition") functions.push(outer);
  }
  return functions;
}

/** The default of a parameter: undefined if the name is no parameter, null if it has no default. */
function parameterDefault(
  file: PythonFile,
  functionNode: Node,
  name: string,
): Node | null | undefined {
  const parameters = childNodes(functionNode).find((child) => child.name === "ParamList");
  const nodes = parameters ? childNodes(parameters) : [];
  const index = nodes.findIndex(
    (node, i) =>
      node.name === "VariableName" &&
      sourceText(file, node) === name &&
      nodes[i - 1]?.name !== "AssignOp",
  );
  if (index === -1) return undefined;
  const nextIndex = nodes[index + 1]?.name === "TypeDef" ? index + 2 : index + 1;
  return nodes[nextIndex]?.name === "AssignOp" ? (nodes[nextIndex + 1] ?? null) : null;
}

/**
 * The secret of a parameter: the node of the default, or the parameter itself when the default is
 * `dlt.secrets.value`.
 */
export function parameterSecret(file: PythonFile, name: Node): Node | undefined {
  const [innermost] = enclosingFunctions(name);
  if (!innermost) return undefined;
  const key = `${sourceText(file, name)} in ${innermost.from}`;
  // A hostile file can use the same name a hundred thousand times, so each search happens once.
  if (!file.parameterSecrets.has(key)) {
    file.parameterSecrets.set(key, findParameterSecret(file, name));
  }
  return file.parameterSecrets.get(key);
}

function findParameterSecret(file: PythonFile, name: Node): Node | undefined {
  const nameText = sourceText(file, name);
  for (const functionNode of enclosingFunctions(name)) {
    const value = parameterDefault(file, functionNode, nameText);
    if (value === undefined) continue;
    if (!value || findDefinitions(file, nameText, functionNode).length > 0) return undefined;
    const code = sourceText(file, value);
    if (code === "dlt.secrets.value") return name;
    return code.startsWith("dlt.secrets[") ? value : undefined;
  }
  return undefined;
}

/** The assignments to a name inside a function, or in the module outside of functions. */
function findDefinitions(file: PythonFile, name: string, functionNode: Node | undefined): Node[] {
  return findUses(file, name).filter(
    (node) => isAssignmentTarget(node) && enclosingFunctions(node)[0]?.from === functionNode?.from,
  );
}

function findUses(file: PythonFile, name: string): Node[] {
  const uses: Node[] = [];
  file.tree.iterate({
    enter: ({ name: nodeName, node }) => {
      if (nodeName === "VariableName" && sourceText(file, node) === name) uses.push(node);
    },
  });
  return uses;
}

/** Whether the node is left of a `=`, also as `name: Type = …`. */
const isAssignmentTarget = (node: Node) =>
  node.parent?.name === "AssignStatement" &&
  /^(AssignOp|TypeDef)$/.test(node.nextSibling?.name ?? "");

/** The value of a variable, or the node responsible for an unknown value. */
export type ResolvedVariable = { value: Node } | { cause: Node; message: string };

/** Finds the value of a variable if the file assigns a single value and never changes the value. */
export function resolveVariable(file: PythonFile, name: Node): ResolvedVariable {
  const nameText = sourceText(file, name);
  const scopes = [...enclosingFunctions(name), undefined];
  const isParameter = scopes.some(
    (scope) => scope && parameterDefault(file, scope, nameText) !== undefined,
  );
  const scope = scopes.find((candidate) => findDefinitions(file, nameText, candidate).length > 0);
  const [definition, secondDefinition] = findDefinitions(file, nameText, scope);
  const noSingleValue = "a name without one value in this file";
  if (!definition || isParameter) return { cause: name, message: noSingleValue };
  if (secondDefinition)
    return { cause: secondDefinition, message: "a name that gets a value twice" };

  const change = findUses(file, nameText).find(
    (use) =>
      mayChange(file, use) &&
      (scope === undefined || enclosingFunctions(use).some(({ from }) => from === scope.from)),
  );
  if (change) return { cause: change, message: "a dict that may change here" };
  const value = definition.parent?.lastChild;
  return value && value.name !== "TypeDef"
    ? { value }
    : { cause: definition, message: noSingleValue };
}

const readingFunctions =
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
      return !readingMethods.test(sourceText(file, node.lastChild ?? node));
    case "ArgList": {
      const callee = parent.parent?.firstChild;
      const isKeyword = nextSibling?.name === "AssignOp";
      return !isKeyword && !(callee && readingFunctions.test(sourceText(file, callee)));
    }
    default:
      return false;
  }
}
