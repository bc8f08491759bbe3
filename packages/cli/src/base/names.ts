import { randomBytes } from "node:crypto";
import type { Names } from "@tidetable/core/plan";

/** App and stage in the names of the local mode's tables, secrets and functions. */
export const localNames: Names = { app: "tidetable", stage: "local" };

/** App and stage in the names of the stage that `--stage` chose. */
export const deployedNames = ({ app }: { app: string }, stage: string): Names => ({ app, stage });

/** Makes a source's name of a file's: `Sales CRM` becomes `sales_crm`. */
export function sourceNameOf(text: string): string {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? ["source"];
  return words.join("_");
}

/** Run ids sort by time; the random end distinguishes the runs of one second. */
export const newRunId = (now: number): string =>
  `${new Date(now).toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(3).toString("hex")}`;
