import type { IncomingHttpHeaders } from "node:http";
import type { PaginatorConfig } from "../../config/endpoint-types.ts";
import { type JsonPath, parseJsonPath } from "../../config/jsonpath.ts";
import { planPaginator } from "../../config/paginators.ts";
import type { PaginatorPlan, ResourcePlan } from "../../config/plan-types.ts";
import type { JsonValue } from "../../values/json.ts";
import { detectSelector } from "../select.ts";
import { detectPaginator } from "./detect.ts";
import { fingerprintPage } from "./overlap.ts";
import type { PageRequest, PagingMemory } from "./page-request.ts";

/*
 * A config may leave the paginator and the selector open. Both are detected in the first page and kept
 * in each later request: a later page may not show them, and a slice may start at any page.
 */

type PagingPlan = Pick<ResourcePlan, "paginator" | "selector">;
type SelectorPlan = Pick<ResourcePlan, "selector" | "key">;

/** The path to the records; undefined before an answer has shown any. */
export function chooseSelector(
  { selector, key }: SelectorPlan,
  { memory }: PageRequest,
  body: JsonValue | undefined,
): JsonPath | undefined {
  if (selector) return selector;
  if (memory?.selector !== undefined) return parseJsonPath(memory.selector);
  return body === undefined ? undefined : detectSelector(body, key.fields);
}

export interface ChosenPaginator {
  plan: PaginatorPlan;
  memory?: PagingMemory;
  /** The page has the records of the first page, under another number. */
  isRepeated?: boolean;
  /** A line for the log, once per run. */
  note?: string;
}

/** The paginator of the config, or the paginator that the answers show. */
export function choosePaginator(
  { paginator }: PagingPlan,
  { memory = {} }: PageRequest,
  records: readonly JsonValue[],
  answer: {
    headers: IncomingHttpHeaders;
    body: JsonValue | undefined;
    params: Record<string, unknown>;
  },
): ChosenPaginator {
  if (paginator.type !== "auto") return { plan: paginator };
  if (memory.paginator) {
    const isUnsure = memory.isBaseUnsure ? { isBaseUnsure: true as const } : {};
    if (memory.first === undefined) return fromConfig(memory.paginator, isUnsure);
    // Whether page 1 is the first page or the second shows when it has been asked for. A row that
    // has come may have moved rows of the first page to the second: only a whole page is the same.
    const isRepeated = memory.first === fingerprintPage(records);
    const config = { ...memory.paginator, base_page: isRepeated ? 1 : 0 };
    const note = describeDetected(config);
    return { ...fromConfig(config, { isBaseUnsure: true }), isRepeated, note };
  }
  const { body } = answer;
  if (body === undefined) return { plan: { type: "single_page" } };
  const { config, isSure } = detectPaginator({ ...answer, body });
  const settings = config as Record<string, string | number>;
  if (isSure) return { ...fromConfig(settings), note: describeDetected(config) };
  return fromConfig(settings, { first: fingerprintPage(records) });
}

const fromConfig = (
  config: Record<string, string | number>,
  memory: PagingMemory = {},
): ChosenPaginator => ({
  plan: planPaginator(config as unknown as PaginatorConfig),
  memory: { ...memory, paginator: config },
});

const describeDetected = (config: object & { type?: unknown }): string =>
  `detected paginator ${config.type}; write it down as ${JSON.stringify(config)}`;
