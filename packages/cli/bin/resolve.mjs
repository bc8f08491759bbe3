import { builtEntries, isBuilt } from "./built.mjs";

/*
 * Resolves the imports of a user's source file, wherever the file lies. `@tidetable/*` is the running
 * tidetable, because a second copy would not recognise the first copy's secrets. The file is an ES
 * module, even if a package.json nearby says otherwise. On Node 20 the hook runs in the loader's
 * thread, which needs plain JavaScript.
 */

/** Whether this Node imports TypeScript by itself, and the bundle is not run through tsx. */
export const stripsTypes = isBuilt && process.features.typescript === "strip";

/** @type {import("node:module").ResolveHookSync | import("node:module").ResolveHook} */
export function resolve(specifier, context, nextResolve) {
  const entry = isBuilt ? builtEntries[specifier] : undefined;
  if (entry)
    return { url: new URL(`../dist/${entry}.js`, import.meta.url).href, shortCircuit: true };
  if (specifier.startsWith("@tidetable/")) {
    return nextResolve(specifier, { ...context, parentURL: import.meta.url });
  }
  if (stripsTypes && isOfUser(context.parentURL)) {
    return markAsModule(resolveTypeScript(specifier, context, nextResolve));
  }
  const resolved = nextResolve(specifier, context);
  return resolved instanceof Promise ? resolved.then(markAsModule) : markAsModule(resolved);
}

/** As TypeScript and esbuild do: `./crm.js` and `./crm` may be `./crm.ts`, and `.` an index.ts. */
function resolveTypeScript(specifier, context, nextResolve) {
  const names = /^\.{1,2}(?:\/|$)/.test(specifier)
    ? [specifier, specifier.replace(/\.js$/, ".ts"), `${specifier}.ts`, `${specifier}/index.ts`]
    : [specifier];
  let firstError;
  for (const name of new Set(names)) {
    try {
      return nextResolve(name, context);
    } catch (error) {
      firstError ??= error;
      if (!/^ERR_(MODULE_NOT_FOUND|UNSUPPORTED_DIR_IMPORT)$/.test(error?.code)) throw error;
    }
  }
  throw firstError;
}

const fileOutsidePackages = /^file:(?!.*\/node_modules\/).*\.[jt]s$/;

const isOfUser = (url) => url !== undefined && fileOutsidePackages.test(url);

const markAsModule = (resolved) => {
  if (!fileOutsidePackages.test(resolved.url)) return resolved;
  const isStripped = stripsTypes && resolved.url.endsWith(".ts");
  return { ...resolved, format: isStripped ? "module-typescript" : "module" };
};
