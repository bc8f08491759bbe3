import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bundleFunctions,
  type FunctionBundles,
} from "../packages/cli/src/runner/function-bundles.ts";
import {
  bundlePackages,
  packageLines,
  packagesFile,
  repository,
} from "../scripts/bundle-packages.ts";

// Checks the bundles that `sst deploy` uploads: the packages in them, and the abilities of their
// code.

let folder: string;
let bundles: FunctionBundles;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidetable-bundles-"));
  bundles = await bundleFunctions(repository, folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = ["schedule", "worker"] as const;

describe.each(names)("the bundle of functions/%s.ts", (name) => {
  it(`the bundle of ${name}.ts has exactly the packages in functions/bundle-packages.json`, () => {
    const listed = JSON.parse(readFileSync(packagesFile, "utf8"));
    const packages = packageLines(bundlePackages(bundles));
    const message =
      "what AWS runs has changed: look at each new package, then write the list with `node --import tsx scripts/bundle-packages.ts`";
    expect(packages[name], message).toEqual(listed[name]);
  });

  it(`the bundle of ${name}.ts has only packages whose licences ask for a notice at most`, () => {
    const allowed = ["Apache-2.0", "MIT", "MIT-0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD"];
    const otherPackages = (bundlePackages(bundles)[name] ?? []).filter(
      ({ license }) => !allowed.includes(license),
    );
    expect(otherPackages).toEqual([]);
  });

  it(`the bundle of ${name}.ts makes no code from strings: no eval, no Function, no vm`, () => {
    const code = readFileSync(join(bundles[name].folder, "bundle.mjs"), "utf8");
    expect(codeFromText(code).filter((expression) => !harmlessExpressions.has(expression))).toEqual(
      [],
    );
  });

  it(`the bundle of ${name}.ts has no code of local mode`, () => {
    expect(bundles[name].inputs.filter((path) => path.startsWith("packages/cli/"))).toEqual([]);
  });

  it(`the bundle of ${name}.ts has no code that a cold start need not load`, () => {
    const needlessPaths = needlessCode[name].filter((path) =>
      bundles[name].inputs.some((input) => input.includes(path)),
    );
    expect(needlessPaths, "a cold start is paid for: import what does without, or a part").toEqual(
      [],
    );
  });
});

/** Paths of code that no Lambda function needs. */
const needlessAnywhere = [
  // The CLI and the stacks validate configs, so a deployed config is valid.
  ...["node_modules/zod/", "config/validate.ts", "config/schema.ts"],
  // The engine has its own converters, which are four times as fast.
  ...["@aws-sdk/lib-dynamodb/", "@aws-sdk/util-dynamodb/"],
  // All of undici is a third of a cold start: extract/undici-parts.d.ts has the parts.
  ...["undici/index.js", "undici/lib/web/websocket/", "undici/lib/mock/"],
];
const needlessCode = {
  schedule: needlessAnywhere,
  worker: [...needlessAnywhere, "@aws-sdk/client-lambda/"],
};

/** Allowed expressions, each with its reason. */
const harmlessExpressions = new Set([
  // undici asks whether a value is a function, past a class's own Symbol.hasInstance.
  "Function.call.bind",
  "Function.prototype[Symbol.hasInstance]",
]);

describe("the search for code from strings", () => {
  it.each([
    [`eval("1")`, "eval"],
    [`(0, eval)("1")`, "eval"],
    [`const e = globalThis.eval`, "globalThis.eval"],
    [`globalThis["ev" + ""]; self["eval"]("1")`, `self["eval"]`],
    [`new Function("return 1")`, "Function"],
    [`const make = Function; make("1")`, "Function"],
    [`(() => {}).constructor("return 1")`, "(() => {}).constructor"],
    [`(async () => {}).constructor["call"]`, undefined],
    [`import vm from "node:vm"`, `"node:vm"`],
    [`const { runInThisContext } = require("vm")`, `"vm"`],
    [`await import("vm")`, `"vm"`],
    [`setTimeout("alert()", 1)`, `setTimeout("alert()", 1)`],
    [`x instanceof Function`, undefined],
    [`a.eval = { eval: 1, Function() {} }`, "a.eval"],
    [`setTimeout(run, 1); new this.constructor(x)`, undefined],
  ])("the search finds in %s the expression %s", (code, expression) => {
    expect(codeFromText(code)).toEqual(expression === undefined ? [] : [expression]);
  });
});

/** Finds expressions that could turn a string into code, whatever name they get afterwards. */
function codeFromText(code: string): string[] {
  const file = ts.createSourceFile("bundle.mjs", code, ts.ScriptTarget.Latest, true);
  const expressions: string[] = [];
  const visit = (node: ts.Node): void => {
    const expression = riskyExpression(node);
    if (expression) expressions.push(expression.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return expressions;
}

function riskyExpression(node: ts.Node): ts.Node | undefined {
  const { parent } = node;
  if (ts.isIdentifier(node) && /^(eval|Function)$/.test(node.text)) {
    if (ts.isBinaryExpression(parent) && isInstanceOf(parent)) return undefined;
    if (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) return undefined;
    return withMembers(node);
  }
  if (ts.isStringLiteralLike(node) && /^(node:)?vm$/.test(node.text)) return node;
  if (ts.isStringLiteralLike(node) && ts.isElementAccessExpression(parent)) {
    return /^(eval|Function)$/.test(node.text) ? parent : undefined;
  }
  if (!ts.isCallExpression(node)) return undefined;
  const { expression, arguments: callArguments } = node;
  const last = expression.getText().split(".").at(-1) ?? "";
  if (ts.isPropertyAccessExpression(expression) && last === "constructor") return expression;
  const [first] = callArguments;
  const isTimer = /^set(Timeout|Interval|Immediate)$/.test(last);
  return isTimer && first && ts.isStringLiteralLike(first) ? node : undefined;
}

const isInstanceOf = ({ operatorToken }: ts.BinaryExpression) =>
  operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword;

/** Extends an identifier by the members that are accessed, as in `Function.call.bind`. */
function withMembers(node: ts.Node): ts.Node {
  const { parent } = node;
  const isMember = ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent);
  return isMember ? withMembers(parent) : node;
}
