#!/usr/bin/env node
// `create-tidetable NAME` is `tidetable init NAME`: npm runs it for `npm create`.
process.argv.splice(2, 0, "init");
await import("tidetable/bin/tidetable.mjs");
