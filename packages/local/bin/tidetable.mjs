#!/usr/bin/env node
import * as module from "node:module";
import { register } from "tsx/esm/api";
import * as hooks from "./resolve.mjs";

// It would be the first thing that a newcomer on Node 20 reads; package.json says what we support.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

register();
// After tsx, so that its answer passes through ours. Node 20 has only the older of the two ways.
if (module.registerHooks) module.registerHooks(hooks);
else module.register("./resolve.mjs", import.meta.url);

const { startProcess } = await import("../src/cli.ts");
await startProcess();
