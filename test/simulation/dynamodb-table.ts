import type { TableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import type { Item } from "./expressions.ts";

interface Slot {
  item: Item | undefined;
  /** What a read without ConsistentRead may still see. */
  before: Item | undefined;
  changedAt: number;
}

export interface Table extends TableDefinition {
  id: string;
  slots: Map<string, Slot>;
}
