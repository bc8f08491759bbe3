import { createHash } from "node:crypto";
import { Secret } from "../secrets/reference.ts";
import { planAuth, secretNames } from "./auth.ts";
import { longestGap } from "./cadence.ts";
import { planColumns, planContract } from "./columns.ts";
import { planFunction, planStorage } from "./deployment.ts";
import { planActions, planSteps } from "./hooks.ts";
import { isExampleHost } from "./hosts.ts";
import { planIncremental } from "./incremental.ts";
import { parsePath } from "./jsonpath.ts";
import { addFollowers } from "./lineage.ts";
import { planPaginator } from "./paginators.ts";
import { parentsFirst, planParent, planSpooled } from "./parents.ts";
import type { ResourcePlan, RetryPlan, SchedulePlan, SourcePlan } from "./plan-types.ts";
import { planRequest } from "./request.ts";
import {
  isSelected,
  planDedupSort,
  planDisposition,
  planHardDelete,
  planKey,
  planRowId,
  planWriteMode,
} from "./rows.ts";
import {
  type SettledClient,
  type SettledEndpoint,
  type SettledResource,
  settle,
} from "./settle.ts";
import type { Source } from "./source.ts";
import type { SourceOptions } from "./types.ts";

/** What another attempt may cure. dlt retries every 5xx; the source documents name these. */
const retryStatuses = [
  429 /* Too Many Requests */, 500 /* Internal Server Error */, 502 /* Bad Gateway */,
  503 /* Service Unavailable */, 504 /* Gateway Timeout */,
];

const defaults = { maxRetries: 3, backoffFactor: 2, timeoutSeconds: 30, parallelPages: 4 };

/**
 * Settles every default of a source. Pure, and for a source that `validate` found nothing wrong
 * with: what has no meaning there has none here.
 */
export function plan(source: Source, name: string): SourcePlan {
  const { client, resources } = settle(source);
  const byName = new Map<string, ResourcePlan>();
  const planned = parentsFirst(resources).map((resource) => {
    const one = planResource(name, client, resource, {
      parent: planParent(resource, byName),
      spooled: planSpooled(resource.name, resources),
    });
    byName.set(one.name, one);
    return one;
  });
  addFollowers(planned);
  return {
    name,
    secrets: secretNames(planned),
    rotatesSecret: planned.some(({ auth }) => auth?.type === "oauth2_refresh_token"),
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
  family: Pick<ResourcePlan, "parent" | "spooled">,
): ResourcePlan {
  const { name, endpoint, primary_key } = resource;
  const columns = planColumns(resource.columns);
  const disposition = planDisposition(resource);
  const incremental = planIncremental(endpoint, columns);
  const settled = {
    source,
    name,
    table: typeof resource.table_name === "string" ? resource.table_name : name,
    disposition,
    selected: isSelected(resource),
    ...family,
    key: planKey(
      disposition === "append" ? [] : primary_key,
      columns,
      planRowId({ disposition, incremental, parent: family.parent }, primary_key),
    ),
    request: planRequest(client, endpoint),
    auth: endpoint.auth && planAuth(endpoint.auth),
    paginator: planPaginator(endpoint.paginator),
    incremental,
    selector: endpoint.data_selector === undefined ? undefined : parsePath(endpoint.data_selector),
    steps: planSteps(resource.processing_steps ?? []),
    actions: planActions(endpoint.response_actions ?? []),
    retry: planRetry(endpoint.error_handler ?? {}),
    timeoutMs: (client.timeout ?? defaults.timeoutSeconds) * 1000,
    columns,
    contract: planContract(resource.schema_contract),
    writeMode: planWriteMode(resource, columns),
    hardDelete: planHardDelete(resource),
    dedupSort: planDedupSort(resource),
    allowShrink: resource.allow_shrink ?? false,
  };
  return {
    ...settled,
    hash: planHash(settled),
    followers: [],
    storage: planStorage(resource.table, columns),
    writes: resource.writes ?? undefined,
    parallelPages: resource.parallel_pages ?? defaults.parallelPages,
  };
}

function planRetry(handler: NonNullable<SettledEndpoint["error_handler"]>): RetryPlan {
  return {
    statuses: new Set(handler.retry_on_status_codes ?? retryStatuses),
    maxRetries: handler.max_retries ?? defaults.maxRetries,
    backoffFactor: handler.backoff_factor ?? defaults.backoffFactor,
  };
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

/** Equal for plans of one meaning: the range of the cursor that is read is none of it. */
function planHash({
  incremental,
  parent,
  ...meaning
}: Pick<ResourcePlan, "incremental" | "parent">): string {
  const { initialValue, endValue, ...cursor } = incremental ?? {};
  return fingerprint({
    ...meaning,
    cursor,
    isBackfill: endValue !== undefined,
    parent: parent && { ...parent, plan: parent.plan.hash },
  });
}

/** Equal for equal values, in whatever order their parts were written. */
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
