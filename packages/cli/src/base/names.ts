import { randomBytes } from "node:crypto";
import type { Names } from "@tidetable/core/plan";

/** App and stage in the names of the local mode's tables, secrets and functions. */
export const localNames: Names = { app: "tidetable", stage: "local" };

/** App and stage in the names of a deployed stage. sst.config.ts has the same app name. */
export const deployedNames = (stage: string): Names => ({ app: localNames.app, stage });

/** Run ids sort by time; the random end distinguishes the runs of one second. */
export const newRunId = (now: number): string =>
  `${new Date(now).toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(3).toString("hex")}`;
