import type { Routes } from "./api.ts";

/** What a run is given and has to show. Whatever is left out is not looked at. */
export interface Run {
  routes?: Routes;
  /** The config, or the part of it that matters: base_url is the API's, a lone resource is `rows`. */
  config?: object;
  client?: object;
  resource_defaults?: object;
  resources?: unknown[];
  resource?: object;
  endpoint?: object | string | null;
  /** More words for the command line. */
  args?: string[];
  /** All requests, in order; with several resources in any order. */
  requests?: ExpectedRequest[];
  /** Headers of every request, token requests aside. Null: not there. */
  headers?: Record<string, string | null>;
  /**
   * Everything in the table of `rows`, or by resource, in any order and without `_row_id`. A text is
   * JSON, for numbers that JavaScript has not.
   */
  records?: Records | Record<string, Records>;
  /** Members of the report of the only resource; by name where there are several. */
  report?: object;
  reports?: Record<string, object>;
  /** The first error: its code, and what its message and hint say. */
  fails?: [code: string, ...says: (string | RegExp)[]];
  /** Exit code 2: every problem's path, and what its message and hint say. No request was made. */
  problems?: [path: string, ...says: (string | RegExp)[]][];
  /** What stderr says. */
  says?: (string | RegExp)[];
}

export interface Row extends Run {
  /** The rule that the row shows. */
  name: string;
  secrets?: Record<string, string>;
  /** Further runs; what they do not name stays as it was. Requests are those of the run alone. */
  next?: Run[];
  /** The text of a `.py` source instead of a config. */
  python?: string;
  /** Through the real command, in a process of its own. */
  spawned?: true;
}

export type Records = (object | string)[];
export type ExpectedRequest = string | [line: string, has: RequestParts];

export interface RequestParts {
  headers?: Record<string, string | null>;
  json?: unknown;
  /** Fields of a form. */
  form?: Record<string, string>;
  body?: string;
}
