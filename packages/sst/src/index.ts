export type { TidetableArgs, Transform } from "./arguments.ts";
export { Tidetable } from "./tidetable.ts";
