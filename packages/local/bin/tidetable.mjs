#!/usr/bin/env node
import * as module from "node:module";
import { register } from "tsx/esm/api";
import * as hooks from "./resolve.mjs";

// On Node 20 the SDK's warning would be the first output. package.json has the supported versions.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

register();
// The hook is registered after tsx, so that tsx's answer passes through the hook. Node 20 has only
// module.register.
if (module.registerHooks) module.registerHooks(hooks);
else module.register("./resolve.mjs", import.meta.url);

const { startProcess } = await import("../src/cli.ts");
await startProcess();
