import type { Names } from "@tidetable/core";

/** What local mode's tables, secrets and functions are named after. */
export const localNames: Names = { app: "tidetable", stage: "local" };
