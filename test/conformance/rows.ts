import type { Routes } from "./api.ts";

/** The input of a run and its expected outcome. Members that are left out are not checked. */
export interface Run {
  routes?: Routes;
  /** The config or a part of it; by default base_url is the API and the only resource is `rows`. */
  config?: object;
  client?: object;
  resource_defaults?: object;
  resources?: unknown[];
  resource?: object;
  endpoint?: object | string | null;
  /** Additional arguments for the command line. */
  args?: string[];
  /** All requests in their order; the requests of several resources may have any order. */
  requests?: ExpectedRequest[];
  /** Headers of every request except token requests. Null: the header is missing. */
  headers?: Record<string, string | null>;
  /**
   * All items in the table of `rows`, or of each resource, in any order and without `_row_id`. A
   * string is JSON, for numbers that JavaScript cannot hold.
   */
  records?: Records | Record<string, Records>;
  /** Members of the report of the only resource; `reports` has several by name. */
  report?: object;
  reports?: Record<string, object>;
  /** The code of the first error, and texts of its message and hint. */
  fails?: [code: string, ...says: (string | RegExp)[]];
  /** The path of every problem, and texts of its message and hint. No request is made, and the exit code is 2. */
  problems?: [path: string, ...says: (string | RegExp)[]][];
  /** Texts on stderr. */
  says?: (string | RegExp)[];
}

export interface Row extends Run {
  /** The rule that the row shows. */
  name: string;
  secrets?: Record<string, string>;
  /** Further runs. Members that they leave out stay as they were; requests are those of the run alone. */
  next?: Run[];
  /** The text of a `.py` source instead of a config. */
  python?: string;
  /** The row runs through the real command, in a process of its own. */
  spawned?: true;
}

export type Records = (object | string)[];
export type ExpectedRequest = string | [line: string, parts: RequestParts];

export interface RequestParts {
  headers?: Record<string, string | null>;
  json?: unknown;
  /** Fields of a form. */
  form?: Record<string, string>;
  body?: string;
}
