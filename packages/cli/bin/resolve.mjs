import { builtEntries, isBuilt } from "./built.mjs";

/*
 * Resolves the imports of a user's source file, wherever the file lies. `@tidetable/*` is the running
 * tidetable, because a second copy would not recognise the first copy's secrets. The file is an ES
 * module, even if a package.json nearby says otherwise. On Node 20 the hook runs in the loader's
 * thread, which needs plain JavaScript.
 */

/** @type {import("node:module").ResolveHookSync | import("node:module").ResolveHook} */
export function resolve(specifier, context, nextResolve) {
  const entry = isBuilt ? builtEntries[specifier] : undefined;
  if (entry)
    return { url: new URL(`../dist/${entry}.js`, import.meta.url).href, shortCircuit: true };
  if (specifier.startsWith("@tidetable/")) {
    return nextResolve(specifier, { ...context, parentURL: import.meta.url });
  }
  const resolved = nextResolve(specifier, context);
  return resolved instanceof Promise ? resolved.then(markAsModule) : markAsModule(resolved);
}

const fileOutsidePackages = /^file:(?!.*\/node_modules\/).*\.[jt]s$/;

const markAsModule = (resolved) =>
  fileOutsidePackages.test(resolved.url) ? { ...resolved, format: "module" } : resolved;
