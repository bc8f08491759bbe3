import * as module from "node:module";
import * as hooks from "./resolve.mjs";

/** Node 20 has only module.register. */
export function registerResolve() {
  if (module.registerHooks) module.registerHooks(hooks);
  else module.register("./resolve.mjs", import.meta.url);
}

/** @type {Promise<void> | undefined} */
let registered;

/** Lets this process import TypeScript. It takes a while, so it is done only for a file that needs it. */
export function registerTypeScript() {
  registered ??= import("tsx/esm/api").then(({ register }) => {
    register();
    // The hook is registered after tsx, so that tsx's answer passes through the hook.
    registerResolve();
  });
  return registered;
}
