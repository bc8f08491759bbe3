#!/usr/bin/env node
import * as module from "node:module";
import { isBuilt } from "./built.mjs";
import { prepareTypeScript, registerResolve, registerTypeScript } from "./hooks.mjs";

// On Node 20 the SDK's warning would be the first output. package.json has the supported versions.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

module.enableCompileCache?.();
if (isBuilt) registerResolve();
else await registerTypeScript();

const { startProcess } = await import(isBuilt ? "../dist/cli.js" : "../src/cli.ts");
await startProcess(isBuilt ? prepareTypeScript : undefined);
