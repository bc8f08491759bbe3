import {
  type AuthPlan,
  type FunctionPlan,
  firstRequest,
  type IncrementalPlan,
  type IndexPlan,
  type KeyAttribute,
  type KeyPlan,
  type Names,
  type PaginatorPlan,
  planSource as planOf,
  type ResourcePlan,
  type SchedulePlan,
  type Secret,
  type SourceCost,
  type SourcePlan,
  type TablePlan,
  type TokenPlan,
  tableName,
} from "@tidetable/core";
import { deployedNames, localNames } from "../base/names.ts";
import type { Context } from "../base/options.ts";
import { type Colors, createColors, formatAmount } from "../output/render.ts";
import { loadSources } from "../sources/load-source.ts";
import { costText, estimateCost } from "./plan-cost.ts";

/** What a run would do, from the config alone; what it costs, from the history of the last runs. */
export async function printPlan({ args, options, io }: Context): Promise<number> {
  const { stage, ...here } = options;
  const names = stage === undefined ? localNames : deployedNames(stage);
  const loaded = await loadSources(args, here, io);
  const plans = loaded.map(({ source, name }) => planOf(source, name));
  const cost = options.cost ? await estimateCost(plans, options) : undefined;
  if (options.json) {
    const sources = plans.map((one) => sourceDocument(one, names, cost?.sources.get(one)));
    io.stdout.write(`${JSON.stringify({ sources, ...(cost && { cost: cost.stage }) })}\n`);
  } else {
    const color = createColors(io.stdout, io.env);
    const texts = plans.map((one) => sourceText(one, names, color));
    io.stdout.write([...texts, ...(cost ? [costText(cost)] : [])].join("\n"));
  }
  return 0;
}

/** In snake_case: the words of the config and of the other documents. */
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
            initial_value: resource.incremental.initialValue ?? null,
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
  // JSON has no Infinity: null for a schedule that fires once.
  return { expression, timezone, enabled, longest_gap_ms: longestGapMs };
}

const functionDocument = ({ memoryMb, reservedConcurrency, vpc }: FunctionPlan) => ({
  memory: memoryMb,
  reserved_concurrency: reservedConcurrency ?? null,
  vpc: vpc ? { subnets: vpc.subnets, security_groups: vpc.securityGroups } : null,
});

const tableDocument = ({ ttl, stream, indexes, kmsKey, maxWriteUnits }: TablePlan) => ({
  ttl: ttl ?? null,
  stream: stream ?? null,
  indexes: indexes.map((index) => ({ ...index, range: index.range ?? null })),
  kms_key: kmsKey ?? null,
  max_write_units: maxWriteUnits ?? null,
});

function sourceText(source: SourcePlan, names: Names, color: Colors): string {
  const { schedule, fullRefreshSchedule: refresh } = source;
  const parts = [
    schedule ? scheduleText(schedule, source) : "no schedule",
    ...(refresh ? [`full refresh ${scheduleText(refresh, source)}`] : []),
    functionText(source.function),
  ];
  return [
    `${color.bold(source.name)}: ${parts.join(", ")}\n`,
    ...source.resources.map((resource) => resourceText(resource, names, color)),
  ].join("");
}

function scheduleText(
  { expression, timezone, enabled }: SchedulePlan,
  { isExample }: SourcePlan,
): string {
  const off = isExample ? " (off in AWS: an example host)" : enabled ? "" : " (off)";
  return `${expression}${timezone ? ` ${timezone}` : ""}${off}`;
}

function functionText({ memoryMb, reservedConcurrency, vpc }: FunctionPlan): string {
  const most = reservedConcurrency === undefined ? "" : `, at most ${reservedConcurrency} at once`;
  return `worker with ${memoryMb} MB${most}${vpc ? `, in ${vpc.subnets.join(", ")}` : ""}`;
}

/** With the braces of what a parent's record fills in. */
const firstUrl = (resource: ResourcePlan): string =>
  firstRequest(resource).url.replace(/%7B(resources\.[^%]*)%7D/g, "{$1}");

const perRecord = ({ parent }: ResourcePlan): string =>
  parent ? `, for each record of ${parent.plan.name}` : "";

function resourceText(resource: ResourcePlan, names: Names, color: Colors): string {
  const lines = [
    ["table", resource.selected ? tableName(names, resource) : "none: it is read for its children"],
    ["key", keyText(resource.key)],
    ...tableLines(resource.storage),
    ["writes", writesText(resource)],
    ...(resource.incremental ? [["cursor", cursorText(resource.incremental)]] : []),
    ["request", `${resource.request.method} ${firstUrl(resource)}${perRecord(resource)}`],
    ["auth", resource.auth ? authText(resource.auth) : "none"],
    ["pages", paginatorText(resource.paginator)],
    ["records", resource.selector?.text ?? "the list that the answer holds"],
    ["retry", retryText(resource)],
  ];
  const body = lines.map(([head = "", text]) => `    ${color.dim(head.padEnd(8))} ${text}\n`);
  return `  ${color.bold(resource.name)}\n${body.join("")}`;
}

/** One line for each thing that was asked for. */
const tableLines = ({ ttl, stream, indexes, kmsKey, maxWriteUnits }: TablePlan): string[][] => [
  ...indexes.map((index) => ["index", indexText(index)]),
  ...(ttl === undefined ? [] : [["expires", `at ${ttl}`]]),
  ...(stream === undefined ? [] : [["stream", stream]]),
  ...(kmsKey === undefined ? [] : [["kms key", kmsKey]]),
  ...(maxWriteUnits === undefined
    ? []
    : [["fuse", `${formatAmount(maxWriteUnits, "write unit")} per second`]]),
];

function indexText({ name, hash, range, projection }: IndexPlan): string {
  const holds = typeof projection === "string" ? projection : `with ${projection.join(", ")}`;
  return `${name}: ${attributesText([hash, range])}, ${holds}`;
}

function writesText({ disposition, writeMode, allowShrink }: ResourcePlan): string {
  const order = writeMode.kind === "ordered" ? `, in the order of ${writeMode.versionField}` : "";
  return `${disposition}${order}${allowShrink ? ", a refresh may delete any number of rows" : ""}`;
}

function cursorText({ path, initialValue, lag }: IncrementalPlan): string {
  const from = initialValue === undefined ? "" : `, from ${initialValue} on`;
  return `${path.text}${from}${lag > 0 ? `, lag ${lag}` : ""}`;
}

function keyText({ fields, hash, range }: KeyPlan): string {
  const text = attributesText([hash, range]);
  if (fields.length === 0) return `${text}, its own for every record`;
  return fields.length > 2 ? `${text}, joined from ${fields.slice(1).join(", ")}` : text;
}

const attributesText = (key: (KeyAttribute | undefined)[]) =>
  key.flatMap((one) => (one ? [`${one.name} (${one.type})`] : [])).join(", ");

function authText(auth: AuthPlan): string {
  switch (auth.type) {
    case "bearer":
      return `bearer token from ${secretText(auth.token)}`;
    case "api_key":
      return `api_key in ${auth.location} as "${auth.name}" from ${secretText(auth.apiKey)}`;
    case "http_basic":
      return `http_basic with ${secretText(auth.username)} and ${secretText(auth.password)}`;
    case "oauth2_client_credentials":
      return `${tokenText(auth)} with ${secretsText(auth.clientId, auth.clientSecret)}`;
    case "oauth2_refresh_token":
      return `${tokenText(auth)} with ${secretsText(auth.refreshToken, auth.clientId, auth.clientSecret)}`;
  }
}

const tokenText = ({ type, accessTokenUrl: url }: TokenPlan & { type: string }) =>
  `${type} at ${typeof url === "string" ? url : secretText(url)}`;

const secretsText = (...secrets: (Secret | undefined)[]) =>
  secrets.flatMap((secret) => (secret ? [secretText(secret)] : [])).join(" and ");

const secretText = ({ names }: Secret) =>
  names.length === 0 ? "a plain text in the config" : `secret ${names.join(" and ")}`;

function paginatorText(paginator: PaginatorPlan): string {
  switch (paginator.type) {
    case "auto":
      return "as the first answer shows";
    case "single_page":
      return "single_page";
    case "offset":
      return `offset, ${formatAmount(paginator.limit, "record")} each, until ${endText(paginator)}`;
    case "page_number":
      return `page_number from ${paginator.page} on, until ${endText(paginator)}`;
    case "cursor":
      return `cursor at "${paginator.cursor.text}"`;
    case "header_cursor":
      return `header_cursor in "${paginator.header}"`;
    case "json_link":
      return `json_link at "${paginator.next.text}"`;
    case "header_link":
      return `header_link "${paginator.rel}"`;
  }
}

function endText(paginator: Extract<PaginatorPlan, { type: "offset" | "page_number" }>): string {
  const { total, maximum, stopAfterEmptyPage, hasMore } = paginator;
  const most = paginator.type === "offset" ? "offset" : "page";
  const ends = [
    hasMore && `"${hasMore.text}" is false`,
    total && `"${total.path.text}" is reached`,
    stopAfterEmptyPage && "a page is empty",
    maximum !== undefined && `${most} ${maximum}`,
  ];
  return ends.filter(Boolean).join(" or ");
}

function retryText({ retry, timeoutMs }: ResourcePlan): string {
  const delays = Array.from({ length: retry.maxRetries }, (_, n) => retry.backoffFactor * 2 ** n);
  const statuses = [...retry.statuses].join(", ");
  const after = delays.length > 0 ? ` after ${delays.join(", ")} s` : "";
  return `${statuses}: ${formatAmount(retry.maxRetries, "retry", "retries")}${after}; ${timeoutMs / 1000} s per request`;
}
