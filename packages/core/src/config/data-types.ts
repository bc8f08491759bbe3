export type DataType =
  | "text"
  | "double"
  | "bool"
  | "timestamp"
  | "bigint"
  | "binary"
  | "json"
  | "decimal"
  | "wei"
  | "date"
  | "time";
