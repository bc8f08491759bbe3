/*
 * How a user's source file finds its imports, wherever it lies: `@tidetable/*` is the tidetable
 * that runs (a second copy would not recognise its own secrets), and the file is an ES module
 * whatever a package.json near it says. Runs in the loader's thread on Node 20: plain JavaScript.
 */

/** @type {import("node:module").ResolveHookSync | import("node:module").ResolveHook} */
export function resolve(specifier, context, next) {
  if (specifier.startsWith("@tidetable/")) {
    return next(specifier, { ...context, parentURL: import.meta.url });
  }
  const found = next(specifier, context);
  return found instanceof Promise ? found.then(asModule) : asModule(found);
}

const ownFile = /^file:(?!.*\/node_modules\/).*\.[jt]s$/;

const asModule = (found) => (ownFile.test(found.url) ? { ...found, format: "module" } : found);
