import { findValue } from "../../packages/core/src/extract/select.ts";
import type { RowNaming } from "../../packages/core/src/normalize/keys.ts";

/** What rows without a key of their own are named by, for records without a parent. */
export const rowNaming = (changes: Partial<RowNaming> = {}): RowNaming => ({
  parent: null,
  added: [],
  readId: "read-1",
  findValue,
  ...changes,
});
