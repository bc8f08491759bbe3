import type { ResourcePlan } from "../config/plan-types.ts";
import type { Writer, WriterOptions } from "./attempts.ts";
import { openBatchWriter } from "./batch-writer.ts";
import { openConditionalWriter } from "./conditional-writer.ts";

/** Opens the writer for the resource's write mode. */
export const openWriter = (
  { key, writeMode }: Pick<ResourcePlan, "key" | "writeMode">,
  options: Omit<WriterOptions, "key">,
): Writer =>
  writeMode.kind === "batch"
    ? openBatchWriter({ ...options, key })
    : openConditionalWriter(writeMode, { ...options, key });
