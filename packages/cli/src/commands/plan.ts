import type { SourceCost } from "@tidetable/core/internal";
import {
  type FunctionPlan,
  type Names,
  planSource,
  type SchedulePlan,
  type SourcePlan,
  type TablePlan,
  tableName,
} from "@tidetable/core/plan";
import { deployedNames, localNames } from "../base/names.ts";
import type { Context } from "../base/options.ts";
import { createColors } from "../output/render.ts";
import { loadSources } from "../sources/load-source.ts";
import type { PlanCost } from "./plan-cost.ts";
import { authText, firstUrl, paginatorText, sourceText } from "./plan-text.ts";

/** `plan`: prints what a run would do. Only --cost reads more than the config: the run history. */
export async function printPlan({ args, options, io }: Context): Promise<number> {
  const { stage, ...localOptions } = options;
  const names = stage === undefined ? localNames : deployedNames(options, stage);
  // A source from a file has a plan even if a stage could not run it.
  const loadedSources = await loadSources(args, localOptions, io);
  const plans = loadedSources.map(({ source, name }) => planSource(source, name));
  const { cost, text: costText } = options.cost ? await readCost(plans, options) : {};
  if (options.json) {
    const sources = plans.map((plan) => sourceDocument(plan, names, cost?.sources.get(plan)));
    io.stdout.write(`${JSON.stringify({ sources, ...(cost && { cost: cost.stage }) })}\n`);
  } else {
    const color = createColors(io.stdout, io.env);
    const texts = plans.map((plan) => sourceText(plan, names, color));
    io.stdout.write([...texts, ...(costText ? [costText] : [])].join("\n"));
  }
  return 0;
}

/** The run history is in DynamoDB, whose client takes a while to load. */
async function readCost(
  plans: SourcePlan[],
  options: Context["options"],
): Promise<{ cost?: PlanCost; text?: string }> {
  const { costText, estimateCost } = await import("./plan-cost.ts");
  const cost = await estimateCost(plans, options);
  return { cost, text: costText(cost) };
}

/** A source in the document of `plan --json`, in the words of the config. */
function sourceDocument(source: SourcePlan, names: Names, cost: SourceCost | undefined) {
  const { resources: costs, ...sourceCost } = cost ?? {};
  return {
    source: source.name,
    secrets: source.secrets,
    schedule: scheduleDocument(source.schedule),
    full_refresh_schedule: scheduleDocument(source.fullRefreshSchedule),
    example_host: source.isExample,
    function: functionDocument(source.function),
    ...(cost && { cost: sourceCost }),
    resources: source.resources.map((resource, i) => ({
      resource: resource.name,
      table: tableName(names, resource),
      write_disposition: resource.disposition,
      write_mode: resource.writeMode.kind,
      allow_shrink: resource.allowShrink,
      writes: resource.writes ?? null,
      parallel_pages: resource.parallelPages,
      incremental: resource.incremental
        ? {
            cursor_path: resource.incremental.path.text,
            initial_value:
              resource.incremental.relativeStart?.text ?? resource.incremental.initialValue ?? null,
            lag: resource.incremental.lag,
          }
        : null,
      key: {
        fields: resource.key.fields,
        hash: resource.key.hash,
        range: resource.key.range ?? null,
      },
      parent: resource.parent?.plan.name ?? null,
      selected: resource.selected,
      request: { method: resource.request.method, url: firstUrl(resource) },
      auth: resource.auth ? { type: resource.auth.type, text: authText(resource.auth) } : null,
      paginator: { type: resource.paginator.type, text: paginatorText(resource.paginator) },
      data_selector: resource.selector?.text ?? null,
      retry: {
        statuses: [...resource.retry.statuses],
        max_retries: resource.retry.maxRetries,
        backoff_factor: resource.retry.backoffFactor,
      },
      timeout_ms: resource.timeoutMs,
      table_options: tableDocument(resource.storage),
      ...(costs && { cost: costs[i] }),
    })),
  };
}

function scheduleDocument(schedule: SchedulePlan | undefined) {
  if (!schedule) return null;
  const { expression, timezone = null, enabled, longestGapMs } = schedule;
  // The gap of a schedule with a single firing is infinite, and null in JSON.
  return { expression, timezone, enabled, longest_gap_ms: longestGapMs };
}

const functionDocument = ({ memoryMb, reservedConcurrency, vpc, sdkWrites }: FunctionPlan) => ({
  memory: memoryMb,
  reserved_concurrency: reservedConcurrency ?? null,
  vpc: vpc ? { subnets: vpc.subnets, security_groups: vpc.securityGroups } : null,
  sdk_writes: sdkWrites,
});

const tableDocument = ({ ttl, stream, indexes, kmsKey, maxWriteUnits }: TablePlan) => ({
  ttl: ttl ?? null,
  stream: stream ?? null,
  indexes: indexes.map((index) => ({ ...index, range: index.range ?? null })),
  kms_key: kmsKey ?? null,
  max_write_units: maxWriteUnits ?? null,
});
