import * as module from "node:module";
import * as hooks from "./resolve.mjs";

/** Node 20 has only module.register. */
export function registerResolve() {
  if (module.registerHooks) module.registerHooks(hooks);
  else module.register("./resolve.mjs", import.meta.url);
}

/** @type {Promise<void> | undefined} */
let registered;

/** Lets this process import TypeScript. It takes a while, so it is done only where it is needed. */
export function registerTypeScript() {
  registered ??= import("tsx/esm/api").then(({ register }) => {
    register();
    // The hook is registered after tsx, so that tsx's answer passes through the hook.
    registerResolve();
  });
  return registered;
}

/**
 * Lets this process import a user's TypeScript: by Node itself where it strips types (22.18 and later),
 * otherwise by tsx.
 */
export async function prepareTypeScript() {
  if (!hooks.stripsTypes) return registerTypeScript();
  const { emitWarning } = process;
  process.emitWarning = (warning, ...details) => {
    // Node 22 warns on stderr that stripping types is new.
    if (!/type stripping/i.test(String(warning))) emitWarning(warning, ...details);
  };
}
