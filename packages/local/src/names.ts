import { randomBytes } from "node:crypto";
import type { Names } from "@tidetable/core";

/** What local mode's tables, secrets and functions are named after. */
export const localNames: Names = { app: "tidetable", stage: "local" };

/** What they are named after in AWS; the app's name stands in sst.config.ts, too. */
export const deployedNames = (stage: string): Names => ({ app: localNames.app, stage });

/** Sorts by time, and tells the runs of one second apart. */
export const newRunId = (now: number): string =>
  `${new Date(now).toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(3).toString("hex")}`;
