import { existsSync } from "node:fs";

/**
 * The command runs from the bundle in `dist`, which scripts/build-cli.mjs writes. The published
 * package has nothing else.
 */
export const isBuilt =
  process.env.TIDETABLE_BUILT === "1" || !existsSync(new URL("../src/cli.ts", import.meta.url));

/** What a user's source file may import, and the name of it in the bundle. */
export const builtEntries = {
  "@tidetable/core": "core",
  "@tidetable/core/internal": "core-internal",
  "@tidetable/core/lambda": "core-lambda",
  "@tidetable/core/plan": "core-plan",
  "@tidetable/reader": "reader",
};
