import { createHash } from "node:crypto";
import { DEFAULT_MAX_WAIT_MS } from "../base/timing.ts";
import { registerSecret } from "../secrets/redact.ts";
import { Secret } from "../secrets/reference.ts";
import { isObject } from "../values/json.ts";
import { planAuth, secretNames } from "./auth.ts";
import { longestGap } from "./cadence.ts";
import { planColumns, planContract } from "./columns.ts";
import { planFunction, planStorage } from "./deployment.ts";
import { planActions, planSteps } from "./hooks.ts";
import { isExampleHost } from "./hosts.ts";
import { planIncremental, versionKey } from "./incremental.ts";
import { parseJsonPath } from "./jsonpath.ts";
import { addFollowers } from "./lineage.ts";
import { defaultParallelPages, planPaginator } from "./paginators.ts";
import { parentsFirst, planParent, planSpooled } from "./parents.ts";
import { findPlainCredentials } from "./plain-credentials.ts";
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
  planWrites,
} from "./rows.ts";
import {
  type SettledClient,
  type SettledEndpoint,
  type SettledResource,
  settleSource,
} from "./settle.ts";
import { expandShorthands } from "./shorthands.ts";
import type { Source } from "./source.ts";
import type { SourceOptions } from "./types.ts";

/**
 * Another attempt may succeed after these. dlt retries every 5xx; the source documents name five.
 */
const retryStatuses = [
  429 /* Too Many Requests */, 500 /* Internal Server Error */, 502 /* Bad Gateway */,
  503 /* Service Unavailable */, 504 /* Gateway Timeout */,
];

const defaults = Object.freeze({
  maxRetries: 3,
  backoffFactor: 2,
  timeoutSeconds: 30,
});

/**
 * Settles every default of a source, and expects one in which `validate` has found no problem. Apart
 * from hiding the plain credentials of the config from now on, the function is pure.
 */
export function planSource(source: Source, name: string): SourcePlan {
  for (const { texts } of findPlainCredentials(expandShorthands(source.config).config)) {
    for (const text of texts) registerSecret(text);
  }
  const { client, resources } = settleSource(source);
  const plansByName = new Map<string, ResourcePlan>();
  for (const resource of parentsFirst(resources)) {
    const parent = planParent(resource, plansByName);
    const spooled = planSpooled(resource.name, resources);
    const resourcePlan = planResource(name, client, resource, { parent, spooled });
    plansByName.set(resource.name, resourcePlan);
  }
  const plans = [...plansByName.values()];
  addFollowers(plans);
  return {
    name,
    secrets: secretNames(plans),
    rotatesSecret: plans.some(({ auth }) => auth?.type === "oauth2_refresh_token"),
    schedule: planSchedule(source.options.schedule),
    fullRefreshSchedule: planSchedule(source.options.full_refresh_schedule),
    isExample: isExampleHost(client.base_url),
    function: planFunction(source.options.function ?? {}),
    resources: plans,
  };
}

function planResource(
  source: string,
  client: SettledClient,
  resource: SettledResource,
  { parent, spooled }: Pick<ResourcePlan, "parent" | "spooled">,
): ResourcePlan {
  const { name, endpoint, primary_key } = resource;
  const columns = planColumns(resource.columns);
  const disposition = planDisposition(resource);
  const incremental = planIncremental(endpoint, columns);
  const hashedPlan = {
    source,
    name,
    table: typeof resource.table_name === "string" ? resource.table_name : name,
    disposition,
    selected: isSelected(resource),
    parent,
    spooled,
    key: planKey(
      disposition === "append" ? [] : primary_key,
      columns,
      planRowId({ disposition, incremental, parent }, versionKey(endpoint, primary_key)),
    ),
    request: planRequest(client, endpoint),
    auth: endpoint.auth && planAuth(endpoint.auth),
    paginator: planPaginator(endpoint.paginator),
    incremental,
    selector:
      endpoint.data_selector === undefined ? undefined : parseJsonPath(endpoint.data_selector),
    steps: planSteps(resource.processing_steps ?? []),
    actions: planActions(endpoint.response_actions ?? []),
    retry: planRetry(endpoint.error_handler ?? {}, client),
    timeoutMs: (client.timeout ?? defaults.timeoutSeconds) * 1000,
    columns,
    contract: planContract(resource.schema_contract),
    writeMode: planWriteMode(resource, columns),
    hardDelete: planHardDelete(resource),
    dedupSort: planDedupSort(resource),
    allowShrink: resource.allow_shrink ?? false,
  };
  return {
    ...hashedPlan,
    hash: planHash(hashedPlan),
    followers: [],
    storage: planStorage(resource.table, columns),
    writes: planWrites(resource, incremental),
    parallelPages: resource.parallel_pages ?? defaultParallelPages(hashedPlan.paginator),
  };
}

function planRetry(
  handler: NonNullable<SettledEndpoint["error_handler"]>,
  { max_wait }: SettledClient,
): RetryPlan {
  return {
    statuses: new Set(handler.retry_on_status_codes ?? retryStatuses),
    maxRetries: handler.max_retries ?? defaults.maxRetries,
    backoffFactor: handler.backoff_factor ?? defaults.backoffFactor,
    maxWaitMs: max_wait === undefined ? DEFAULT_MAX_WAIT_MS : max_wait * 1000,
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

/** Equal for plans of one meaning, of which the range of the cursor is no part. */
function planHash({
  incremental,
  parent,
  ...meaning
}: Pick<ResourcePlan, "incremental" | "parent">): string {
  const { initialValue, relativeStart, endValue, ...cursor } = incremental ?? {};
  return hashOf({
    ...meaning,
    cursor,
    isBackfill: endValue !== undefined,
    parent: parent && { ...parent, plan: parent.plan.hash },
  });
}

/** Equal plans have equal hashes, in whatever order their parts were written. */
function hashOf(plan: unknown): string {
  return createHash("sha256").update(JSON.stringify(plan, toCanonical)).digest("hex").slice(0, 16);
}

function toCanonical(this: unknown, key: string, value: unknown): unknown {
  // JSON.stringify has already replaced a Secret by its toJSON, which hides the secret's name.
  const original = (this as Record<string, unknown>)[key];
  if (original instanceof Secret) return { secret: original.name ?? null };
  if (value instanceof Set) return [...value].sort();
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "bigint") return value.toString();
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
