import type { Secret } from "@tidetable/core";
import { firstRequest, rootAbove } from "@tidetable/core/internal/config";
import {
  type AuthPlan,
  type FunctionPlan,
  type IncrementalPlan,
  type IndexPlan,
  type KeyAttribute,
  type KeyPlan,
  type Names,
  type PaginatorPlan,
  type ResourcePlan,
  type SchedulePlan,
  type SourcePlan,
  type TablePlan,
  type TokenPlan,
  tableName,
} from "@tidetable/core/plan";
import { type Colors, formatAmount } from "../output/render.ts";

/*
 * A plan as a person reads it: a head line for the source, and labelled lines for each resource.
 */

export function sourceText(source: SourcePlan, names: Names, color: Colors): string {
  const { schedule, fullRefreshSchedule } = source;
  const parts = [
    schedule ? scheduleText(schedule, source) : "no schedule",
    ...(fullRefreshSchedule ? [`full refresh ${scheduleText(fullRefreshSchedule, source)}`] : []),
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
  const note = isExample ? " (off in AWS: an example host)" : enabled ? "" : " (off)";
  return `${expression}${timezone ? ` ${timezone}` : ""}${note}`;
}

function functionText({ memoryMb, reservedConcurrency, vpc, sdkWrites }: FunctionPlan): string {
  const limit = reservedConcurrency === undefined ? "" : `, at most ${reservedConcurrency} at once`;
  const network = vpc ? `, in ${vpc.subnets.join(", ")}` : "";
  const writes = sdkWrites ? ", writes by the SDK's commands" : "";
  return `worker with ${memoryMb} MB${limit}${network}${writes}`;
}

/** The URL of the first request. A child's URL shows the placeholders for its parent's fields. */
export const firstUrl = (resource: ResourcePlan): string =>
  firstRequest(resource).url.replace(/%7B(resources\.[^%]*)%7D/g, "{$1}");

const parentNote = ({ parent }: ResourcePlan): string =>
  parent ? `, for each record of ${parent.plan.name}` : "";

function resourceText(resource: ResourcePlan, names: Names, color: Colors): string {
  const lines = [
    ["table", resource.selected ? tableName(names, resource) : "none: it is read for its children"],
    ["key", keyText(resource.key)],
    ...tableLines(resource.storage),
    ["writes", writesText(resource)],
    ...(resource.incremental ? [["cursor", cursorText(resource.incremental)]] : []),
    ...readWholeLines(resource),
    ["request", `${resource.request.method} ${firstUrl(resource)}${parentNote(resource)}`],
    ["auth", resource.auth ? authText(resource.auth) : "none"],
    ["pages", paginatorText(resource.paginator)],
    ["records", resource.selector?.text ?? "the list that the answer holds"],
    ["retry", retryText(resource)],
  ];
  const labelled = lines.map(([label = "", text]) => {
    return `    ${color.dim(label.padEnd(8))} ${text}\n`;
  });
  return `  ${color.bold(resource.name)}\n${labelled.join("")}`;
}

/** A replace deletes what it was not shown, so it cannot go by what has changed in an ancestor. */
function readWholeLines({ disposition, selected, ...resource }: ResourcePlan): string[][] {
  const root = selected && disposition === "replace" ? rootAbove(resource) : undefined;
  if (!root) return [];
  return [
    [
      "reads",
      `${root.name} from the start in every run, despite its cursor: replace needs all of its records; merge would not`,
    ],
  ];
}

/** A line for each table option that is set. */
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
  const content = typeof projection === "string" ? projection : `with ${projection.join(", ")}`;
  return `${name}: ${attributesText([hash, range])}, ${content}`;
}

function writesText({ disposition, writeMode, allowShrink }: ResourcePlan): string {
  const order = writeMode.kind === "ordered" ? `, in the order of ${writeMode.versionField}` : "";
  return `${disposition}${order}${allowShrink ? ", a refresh may delete any number of rows" : ""}`;
}

function cursorText({ path, initialValue, relativeStart, lag }: IncrementalPlan): string {
  const from = relativeStart?.text ?? initialValue;
  const start = from === undefined ? "" : `, from ${from} on`;
  return `${path.text}${start}${lag > 0 ? `, lag ${lag}` : ""}`;
}

function keyText({ fields, hash, range }: KeyPlan): string {
  const text = attributesText([hash, range]);
  if (fields.length === 0) return `${text}, its own for every record`;
  return fields.length > 2 ? `${text}, joined from ${fields.slice(1).join(", ")}` : text;
}

const attributesText = (attributes: (KeyAttribute | undefined)[]) =>
  attributes
    .flatMap((attribute) => {
      return attribute ? [`${attribute.name} (${attribute.type})`] : [];
    })
    .join(", ");

export function authText(auth: AuthPlan): string {
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
  names.length === 0 ? "a plain string in the config" : `secret ${names.join(" and ")}`;

export function paginatorText(paginator: PaginatorPlan): string {
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
  const unit = paginator.type === "offset" ? "offset" : "page";
  const ends = [
    hasMore && `"${hasMore.text}" is false`,
    total && `"${total.path.text}" is reached`,
    stopAfterEmptyPage && "a page is empty",
    maximum !== undefined && `${unit} ${maximum}`,
  ];
  return ends.filter(Boolean).join(" or ");
}

function retryText({ retry, timeoutMs }: ResourcePlan): string {
  const delays = Array.from({ length: retry.maxRetries }, (_, n) => retry.backoffFactor * 2 ** n);
  const statuses = [...retry.statuses].join(", ");
  const waits = delays.length > 0 ? ` after ${delays.join(", ")} s` : "";
  return `${statuses}: ${formatAmount(retry.maxRetries, "retry", "retries")}${waits}; ${timeoutMs / 1000} s per request`;
}
