import type { IncomingHttpHeaders } from "node:http";
import type { PaginatorConfig } from "../../config/endpoint-types.ts";
import { type Path, parsePath } from "../../config/jsonpath.ts";
import { planPaginator } from "../../config/paginators.ts";
import type { PaginatorPlan, ResourcePlan } from "../../config/plan-types.ts";
import type { PageRequest, PagingMemory } from "../../flow.ts";
import type { JsonValue } from "../../values/json.ts";
import { detect } from "../select.ts";
import { detectPaginator } from "./detect.ts";
import { fingerprint } from "./overlap.ts";

/*
 * What a config leaves to be found out. It is found on the first page and part of each request after
 * it: a later page may not show it, and a later slice begins with one.
 */

type Open = Pick<ResourcePlan, "paginator" | "selector" | "key">;

/** So many records of the first page are enough to know it again. */
const KNOWN_BY = 5;

/** Where the records are. Undefined before an answer has shown any. */
export function findSelector(
  { selector }: Open,
  { memory }: PageRequest,
  body: JsonValue | undefined,
): Path | undefined {
  if (selector) return selector;
  if (memory?.selector !== undefined) return parsePath(memory.selector);
  return body === undefined ? undefined : detect(body);
}

interface Found {
  plan: PaginatorPlan;
  memory?: PagingMemory;
  /** The page was read before, under another number. */
  isAgain?: boolean;
  /** What a person should know. */
  note?: string;
}

/** The paginator of the resource, or the one that its answers show. */
export function findPaginator(
  { paginator, key: { fields } }: Open,
  { memory = {} }: PageRequest,
  records: readonly JsonValue[],
  answer: {
    headers: IncomingHttpHeaders;
    body: JsonValue | undefined;
    params: Record<string, unknown>;
  },
): Found {
  if (paginator.type !== "auto") return { plan: paginator };
  const prints = () => records.slice(0, KNOWN_BY).map((record) => fingerprint(record, fields));
  if (memory.paginator) {
    if (!memory.first) return known(memory.paginator);
    // Whether page 1 is the first page or the second is seen when it has been asked for.
    const isAgain = prints().some((print) => memory.first?.includes(print));
    const config = { ...memory.paginator, base_page: isAgain ? 1 : 0 };
    return { ...known(config), isAgain, note: described(config) };
  }
  const { body } = answer;
  if (body === undefined) return { plan: { type: "single_page" } };
  const { config, isSure } = detectPaginator({ ...answer, body });
  const found = known(config as Record<string, string | number>);
  if (isSure) return { ...found, note: described(config) };
  return { ...found, memory: { ...found.memory, first: prints() } };
}

const known = (config: Record<string, string | number>): Found => ({
  plan: planPaginator(config as unknown as PaginatorConfig),
  memory: { paginator: config },
});

const described = (config: object & { type?: unknown }): string =>
  `detected paginator ${config.type}; write it down as ${JSON.stringify(config)}`;
