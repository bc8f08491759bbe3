import type { ColumnPlan, ContractPlan } from "./plan-types.ts";
import type { ColumnConfig, SchemaContract, SchemaContractMode } from "./types.ts";

export function planColumns(columns: Record<string, ColumnConfig>): Record<string, ColumnPlan> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, planColumn(column)]),
  );
}

function planColumn(column: ColumnConfig): ColumnPlan {
  const { data_type, nullable, description, precision, scale, timezone, unique } = column;
  return {
    dataType: data_type,
    nullable,
    hints: {
      ...(description && { description }),
      ...(typeof precision === "number" && { precision }),
      ...(typeof scale === "number" && { scale }),
      ...(timezone !== undefined && { timezone }),
      ...(unique && { unique }),
    },
  };
}

/**
 * A bare mode stands for fields and types. In dlt a bare mode stands for tables as well, but here a
 * deploy creates the tables, before any record could ask for one.
 */
export function planContract(
  contract: SchemaContract | SchemaContractMode | null | undefined,
): ContractPlan {
  const modes: SchemaContract =
    typeof contract === "string" ? { columns: contract, data_type: contract } : (contract ?? {});
  return {
    tables: modes.tables ?? "evolve",
    columns: modes.columns ?? "evolve",
    dataType: modes.data_type ?? "evolve",
  };
}
