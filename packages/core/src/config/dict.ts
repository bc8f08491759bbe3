import { Secret } from "../secrets/reference.ts";
import { isObject } from "../values/json.ts";

/** An object of a config, by Python's word for it. */
export type Dict = Record<string, unknown>;

/** A Secret is a single value of a config, although JavaScript sees an object. */
export const isDict = (value: unknown): value is Dict =>
  isObject(value) && !(value instanceof Secret);

/** Never converts: the `toString` of an object in a config may throw. */
export const stringOrEmpty = (value: unknown): string => (typeof value === "string" ? value : "");
