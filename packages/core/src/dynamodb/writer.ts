import type { ResourcePlan } from "../config/plan-types.ts";
import type { Writer, WriterOptions } from "./attempts.ts";
import { writer } from "./batch-writer.ts";
import { conditionalWriter } from "./conditional-writer.ts";

/** The writer that a resource asks for. */
export const writerFor = (
  { key, writeMode }: Pick<ResourcePlan, "key" | "writeMode">,
  options: Omit<WriterOptions, "key">,
): Writer =>
  writeMode.kind === "batch"
    ? writer({ ...options, key })
    : conditionalWriter(writeMode, { ...options, key });
