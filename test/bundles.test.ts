import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FunctionBundles, bundleFunctions } from "../packages/local/src/runner/function-bundles.ts";
import { asLines, bundlePackages, packagesFile } from "../scripts/bundle-packages.ts";

// What AWS runs, as `sst deploy` would upload it: whose code is in it, and what that code can do.

let folder: string;
let bundles: FunctionBundles;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidetable-bundles-"));
  bundles = await bundleFunctions(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = ["schedule", "resource"] as const;

describe.each(names)("the bundle of functions/%s.ts", (name) => {
  it("holds the packages that functions/bundle-packages.json lists, and no other", () => {
    const listed = JSON.parse(readFileSync(packagesFile, "utf8"));
    const found = asLines(bundlePackages(bundles));
    const message =
      "what AWS runs has changed: look at each new package, then write the list with `node --import tsx scripts/bundle-packages.ts`";
    expect(found[name], message).toEqual(listed[name]);
  });

  it("holds packages with licences that ask for a notice at most", () => {
    const allowed = ["Apache-2.0", "MIT", "MIT-0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD"];
    const others = (bundlePackages(bundles)[name] ?? []).filter(
      ({ license }) => !allowed.includes(license),
    );
    expect(others).toEqual([]);
  });

  it("makes no code from text: no eval, no Function, no vm", () => {
    const code = readFileSync(join(bundles[name].folder, "bundle.mjs"), "utf8");
    expect(codeFromText(code).filter((found) => !harmless.has(found))).toEqual([]);
  });

  it("has nothing of local mode in it", () => {
    expect(bundles[name].inputs.filter((path) => path.startsWith("packages/local/"))).toEqual([]);
  });

  it("has nothing in it that a cold start need not load", () => {
    const found = needless[name].filter((path) =>
      bundles[name].inputs.some((input) => input.includes(path)),
    );
    expect(found, "a cold start is paid for: import what does without, or a part").toEqual([]);
  });
});

/** What is not for a Lambda function, by its path. */
const anywhere = [
  // A config is validated by the CLI and the stacks; what is deployed is valid.
  ...["node_modules/zod/", "config/validate.ts", "config/schema.ts"],
  // The engine has converters of its own, four times as fast.
  ...["@aws-sdk/lib-dynamodb/", "@aws-sdk/util-dynamodb/"],
  // All of undici is a third of a cold start: extract/undici-parts.d.ts has the parts.
  ...["undici/index.js", "undici/lib/web/websocket/", "undici/lib/mock/"],
];
const needless = {
  schedule: anywhere,
  resource: [...anywhere, "@aws-sdk/client-lambda/"],
};

/** By name, each with its reason. */
const harmless = new Set([
  // undici asks whether a value is a function, past a class's own Symbol.hasInstance.
  "Function.call.bind",
  "Function.prototype[Symbol.hasInstance]",
]);

describe("what this suite would find", () => {
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
  ])("%s", (code, found) => {
    expect(codeFromText(code)).toEqual(found === undefined ? [] : [found]);
  });
});

/** What could turn a text into code, as it stands there: whatever it is called afterwards. */
function codeFromText(code: string): string[] {
  const file = ts.createSourceFile("bundle.mjs", code, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const place = placeOf(node);
    if (place) found.push(place.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function placeOf(node: ts.Node): ts.Node | undefined {
  const { parent } = node;
  if (ts.isIdentifier(node) && /^(eval|Function)$/.test(node.text)) {
    if (ts.isBinaryExpression(parent) && isInstanceOf(parent)) return undefined;
    if (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) return undefined;
    return wholeOf(node);
  }
  if (ts.isStringLiteralLike(node) && /^(node:)?vm$/.test(node.text)) return node;
  if (ts.isStringLiteralLike(node) && ts.isElementAccessExpression(parent)) {
    return /^(eval|Function)$/.test(node.text) ? parent : undefined;
  }
  if (!ts.isCallExpression(node)) return undefined;
  const { expression, arguments: given } = node;
  const last = expression.getText().split(".").at(-1) ?? "";
  if (ts.isPropertyAccessExpression(expression) && last === "constructor") return expression;
  const [first] = given;
  const isTimer = /^set(Timeout|Interval|Immediate)$/.test(last);
  return isTimer && first && ts.isStringLiteralLike(first) ? node : undefined;
}

const isInstanceOf = ({ operatorToken }: ts.BinaryExpression) =>
  operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword;

/** With the members that are taken of it: `Function.call.bind`. */
function wholeOf(node: ts.Node): ts.Node {
  const { parent } = node;
  const isMember = ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent);
  return isMember ? wholeOf(parent) : node;
}
