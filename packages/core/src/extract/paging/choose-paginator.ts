import type { IncomingHttpHeaders } from "node:http";
import type { PaginatorConfig } from "../../config/endpoint-types.ts";
import { type JsonPath, parseJsonPath } from "../../config/jsonpath.ts";
import { planPaginator } from "../../config/paginators.ts";
import type { PaginatorPlan, ResourcePlan } from "../../config/plan-types.ts";
import type { JsonValue } from "../../values/json.ts";
import { detectSelector } from "../select.ts";
import { detectPaginator } from "./detect.ts";
import { fingerprintRecord } from "./overlap.ts";
import type { PageRequest, PagingMemory } from "./page-request.ts";

/*
 * A config may leave the paginator and the selector open. Both are detected in the first page and kept
 * in each later request: a later page may not show them, and a slice may start at any page.
 */

type PagingPlan = Pick<ResourcePlan, "paginator" | "selector" | "key">;

/** The fingerprints of five records are enough to recognise the first page. */
const FINGERPRINTS_OF_FIRST_PAGE = 5;

/** The path to the records; undefined before an answer has shown any. */
export function chooseSelector(
  { selector }: PagingPlan,
  { memory }: PageRequest,
  body: JsonValue | undefined,
): JsonPath | undefined {
  if (selector) return selector;
  if (memory?.selector !== undefined) return parseJsonPath(memory.selector);
  return body === undefined ? undefined : detectSelector(body);
}

interface ChosenPaginator {
  plan: PaginatorPlan;
  memory?: PagingMemory;
  /** The page has the records of the first page, under another number. */
  isRepeated?: boolean;
  /** A line for the log, once per run. */
  note?: string;
}

/** The paginator of the config, or the paginator that the answers show. */
export function choosePaginator(
  { paginator, key }: PagingPlan,
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
    if (!memory.first) return fromConfig(memory.paginator);
    // Whether page 1 is the first page or the second shows when it has been asked for.
    const fingerprints = fingerprintFirst(records, key.fields);
    const isRepeated = fingerprints.some((fingerprint) => memory.first?.includes(fingerprint));
    const config = { ...memory.paginator, base_page: isRepeated ? 1 : 0 };
    return { ...fromConfig(config), isRepeated, note: describeDetected(config) };
  }
  const { body } = answer;
  if (body === undefined) return { plan: { type: "single_page" } };
  const { config, isSure } = detectPaginator({ ...answer, body });
  const chosen = fromConfig(config as Record<string, string | number>);
  if (isSure) return { ...chosen, note: describeDetected(config) };
  return { ...chosen, memory: { ...chosen.memory, first: fingerprintFirst(records, key.fields) } };
}

const fingerprintFirst = (records: readonly JsonValue[], keyFields: readonly string[]): string[] =>
  records
    .slice(0, FINGERPRINTS_OF_FIRST_PAGE)
    .map((record) => fingerprintRecord(record, keyFields));

const fromConfig = (config: Record<string, string | number>): ChosenPaginator => ({
  plan: planPaginator(config as unknown as PaginatorConfig),
  memory: { paginator: config },
});

const describeDetected = (config: object & { type?: unknown }): string =>
  `detected paginator ${config.type}; write it down as ${JSON.stringify(config)}`;
