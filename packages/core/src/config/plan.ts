import { createHash } from "node:crypto";
import { Secret } from "../secret.ts";
import { planAuth, secretNames } from "./auth.ts";
import { longestGap } from "./cadence.ts";
import type { OffsetPaginator, PaginatorConfig } from "./endpoint-types.ts";
import { isExampleHost } from "./hosts.ts";
import { planIncremental } from "./incremental.ts";
import { parsePath } from "./jsonpath.ts";
import type {
  ColumnPlan,
  PaginatorPlan,
  ResourcePlan,
  RetryPlan,
  SchedulePlan,
  SourcePlan,
} from "./plan-types.ts";
import { planRequest } from "./request.ts";
import { planDisposition, planKey, planWriteMode } from "./rows.ts";
import {
  type SettledClient,
  type SettledEndpoint,
  type SettledResource,
  settle,
} from "./settle.ts";
import type { Source } from "./source.ts";
import { planFunction, planStorage } from "./storage.ts";
import type { ColumnConfig, SourceOptions } from "./types.ts";

/** What another attempt may cure. dlt retries every 5xx; the source documents name these. */
const retryStatuses = [
  429 /* Too Many Requests */, 500 /* Internal Server Error */, 502 /* Bad Gateway */,
  503 /* Service Unavailable */, 504 /* Gateway Timeout */,
];
const defaults = { maxRetries: 3, backoffFactor: 2, timeoutSeconds: 30 };

/**
 * Settles every default of a source. Pure, and for a source that `validate` found nothing wrong
 * with: what has no meaning there has none here.
 */
export function plan(source: Source, name: string): SourcePlan {
  const { client, resources } = settle(source);
  const planned = resources.map((resource) => planResource(name, client, resource));
  return {
    name,
    secrets: secretNames(planned.map(({ auth }) => auth)),
    schedule: planSchedule(source.options.schedule),
    fullRefreshSchedule: planSchedule(source.options.full_refresh_schedule),
    isExample: isExampleHost(client.base_url),
    function: planFunction(source.options.function ?? {}),
    resources: planned,
  };
}

function planResource(
  source: string,
  client: SettledClient,
  resource: SettledResource,
): ResourcePlan {
  const { name, endpoint, primary_key } = resource;
  const columns = planColumns(resource.columns);
  const disposition = planDisposition(resource);
  const settled = {
    source,
    name,
    table: typeof resource.table_name === "string" ? resource.table_name : name,
    disposition,
    key: planKey(disposition === "append" ? [] : primary_key, columns),
    request: planRequest(client, endpoint),
    auth: endpoint.auth && planAuth(endpoint.auth),
    paginator: planPaginator(endpoint.paginator),
    incremental: planIncremental(endpoint, columns),
    selector: endpoint.data_selector === undefined ? undefined : parsePath(endpoint.data_selector),
    retry: planRetry(endpoint.error_handler ?? {}),
    timeoutMs: (client.timeout ?? defaults.timeoutSeconds) * 1000,
    columns,
    writeMode: planWriteMode(resource, columns),
    allowShrink: resource.allow_shrink ?? false,
  };
  return { ...settled, hash: fingerprint(settled), storage: planStorage(resource.table, columns) };
}

function planPaginator(paginator: PaginatorConfig | undefined): PaginatorPlan {
  return paginator?.type === "offset" ? planOffset(paginator) : { type: "single_page" };
}

function planOffset(paginator: OffsetPaginator): PaginatorPlan {
  return {
    type: "offset",
    limit: paginator.limit,
    offset: paginator.offset ?? 0,
    offsetParam: paginator.offset_param ?? "offset",
    limitParam: paginator.limit_param ?? "limit",
    total: planTotal(paginator.total_path),
    maximumOffset: paginator.maximum_offset ?? undefined,
    stopAfterEmptyPage: paginator.stop_after_empty_page ?? true,
  };
}

// dlt insists on its default path, which stops each API that sends no total: we insist only on a
// path that somebody wrote down.
function planTotal(path: string | null | undefined) {
  if (path === null) return undefined;
  if (path === undefined) return { path: parsePath("total"), required: false };
  return { path: parsePath(path), required: true };
}

function planRetry(handler: NonNullable<SettledEndpoint["error_handler"]>): RetryPlan {
  return {
    statuses: new Set(handler.retry_on_status_codes ?? retryStatuses),
    maxRetries: handler.max_retries ?? defaults.maxRetries,
    backoffFactor: handler.backoff_factor ?? defaults.backoffFactor,
  };
}

function planColumns(columns: Record<string, ColumnConfig>): Record<string, ColumnPlan> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { data_type, nullable, description }]) => [
      name,
      { dataType: data_type, nullable, description },
    ]),
  );
}

function planSchedule(schedule: SourceOptions["schedule"]): SchedulePlan | undefined {
  if (schedule === undefined) return undefined;
  const options = typeof schedule === "string" ? { expression: schedule } : schedule;
  return {
    expression: options.expression,
    timezone: options.timezone,
    enabled: options.enabled ?? true,
    longestGapMs: longestGap(options.expression),
  };
}

/** Equal for equal plans, in whatever order their parts were written. */
function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value, canonical)).digest("hex").slice(0, 16);
}

function canonical(this: unknown, key: string, value: unknown): unknown {
  // JSON.stringify has called toJSON by now, which hides a secret's name.
  const raw = (this as Record<string, unknown>)[key];
  if (raw instanceof Secret) return { secret: raw.name ?? null };
  if (value instanceof Set) return [...value].sort();
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
