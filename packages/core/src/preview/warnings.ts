import { isFailure } from "../base/errors.ts";
import type { ContractMode, PaginatorPlan, ResourcePlan } from "../config/plan-types.ts";
import { nearestWord } from "../config/suggest.ts";
import type { PageRequest } from "../extract/paging/page-request.ts";
import { readNamedTotal } from "../extract/paging/paging.ts";
import type { Rejection } from "../flow.ts";
import { type Columns, includesType } from "../schema/columns.ts";
import { dataTypesOf, kindGroups } from "../schema/kinds.ts";
import type { Shape } from "../schema/shape.ts";
import type { JsonValue } from "../values/json.ts";

/** A thing to settle before a deploy. Scripts match on `code`. */
export interface Warning {
  code: string;
  /** Null for a warning that is about no single field. */
  field: string | null;
  message: string;
  hint: string;
}

/** The facts that a preview has gathered, from which the warnings follow. */
export interface PreviewFindings {
  shape: Shape;
  columns: Columns;
  recordCount: number;
  /** Counts records that a later record of the page replaces, because the keys are the same. */
  supersededCount: number;
  rejections: Rejection[];
  cursor: CursorFinding | undefined;
  /** Undefined when no page was read. */
  firstPage: FirstPage | undefined;
}

/** A page whose cursors cannot be read, or are out of range or order. */
export type CursorFinding =
  | { error: unknown }
  | { recordCount: number; outsideCount: number; isOrdered: boolean };

export interface FirstPage {
  recordCount: number;
  /** The resource's paginator, or the detected one. */
  paginator: PaginatorPlan;
  /** A paginator in a config's words. Undefined when the config has one. */
  detectedPaginator: object | undefined;
  /** A JSONPath. Undefined when the config has a data_selector or needs none. */
  detectedSelector: string | undefined;
  /** The query parameters of the resource itself. */
  params: Record<string, unknown>;
  next: PageRequest | undefined;
  /** The next page is found by its number, and shows no row of this one. */
  isNumbered: boolean;
  body: JsonValue | undefined;
}

/** The warnings come in the order in which a person would settle them. */
export function warningsOf(findings: PreviewFindings, resource: ResourcePlan): Warning[] {
  if (findings.recordCount === 0) {
    return [noRecordsWarning(resource), ...detectionWarnings(findings)];
  }
  return [
    ...keyWarnings(findings, resource),
    ...columnWarnings(findings, resource),
    ...valueWarnings(findings, resource),
    ...cursorWarnings(findings, resource),
    ...pagingWarnings(findings),
    ...countWarnings(findings),
    ...detectionWarnings(findings),
  ];
}

const createWarning = (
  code: string,
  field: string | null,
  message: string,
  hint: string,
): Warning => ({ code: `preview.${code}`, field, message, hint });

const noRecordsWarning = ({ parent }: ResourcePlan): Warning =>
  createWarning(
    "no_records",
    null,
    parent
      ? `the first records of ${parent.plan.name} have none here: nothing can be said of their fields`
      : "the first page has no records: nothing can be said of their fields",
    "check data_selector and params, or preview again when there are some",
  );

const KEY_MISSING = "record.key_missing";

function keyWarnings(findings: PreviewFindings, resource: ResourcePlan): Warning[] {
  const { recordCount, supersededCount } = findings;
  const { key, disposition, incremental } = resource;
  const warnings: Warning[] = [];
  if (disposition === "append" && !incremental) {
    const message = "records are appended: every run adds all of them once more";
    const hint = 'name the field that tells them apart, for instance "primary_key": "id"';
    warnings.push(createWarning("no_key", null, message, hint));
  }
  warnings.push(...missingKeyWarnings(findings, resource), ...textKeyWarnings(findings, resource));
  if (supersededCount > 0) {
    const message = `${supersededCount} of ${recordCount} records have the same key as a later record of their page, and only one of them stays`;
    const hint = "name in primary_key all fields that tell records apart";
    warnings.push(createWarning("key_repeated", key.fields.join(", "), message, hint));
  }
  return warnings;
}

function missingKeyWarnings(
  { shape, recordCount, rejections }: PreviewFindings,
  { key }: ResourcePlan,
): Warning[] {
  return key.fields.flatMap((field) => {
    const keyless = rejections.filter(({ code, path }) => code === KEY_MISSING && path === field);
    if (keyless.length === 0) return [];
    const isAbsent = !shape.fields?.get(field);
    const message = isAbsent
      ? `no record has the key field "${field}"`
      : `${keyless.length} of ${recordCount} records have nothing in the key field "${field}", and cannot be stored`;
    const hint = isAbsent ? nameHint(field, shape) : "name a primary_key that every record has";
    return [createWarning("key_missing", field, message, hint)];
  });
}

function textKeyWarnings({ shape }: PreviewFindings, { key, columns }: ResourcePlan): Warning[] {
  return [key.hash, ...(key.range ? [key.range] : [])].flatMap(({ name, type }) => {
    const fieldKinds = shape.fields?.get(name)?.kinds ?? 0;
    const hasNumbers = (fieldKinds & kindGroups.numbers) > 0;
    if (type !== "S" || columns[name]?.dataType || !hasNumbers) return [];
    const [numberType] = dataTypesOf(fieldKinds);
    const message = `"${name}" is a ${numberType} and becomes a text key, since columns does not declare its type: keys sort as text`;
    const hint = `keep it, or declare "columns": {"${name}": {"data_type": "${numberType}"}} before the first deploy: a table's key never changes`;
    return [createWarning("key_text", name, message, hint)];
  });
}

const MAX_LISTED_NAMES = 10;

function nameHint(field: string, { fields }: Shape): string {
  const names = [...(fields?.keys() ?? [])];
  const meant = nearestWord(field, names);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const ellipsis = names.length > MAX_LISTED_NAMES ? ", …" : "";
  return `the records have ${names.slice(0, MAX_LISTED_NAMES).join(", ")}${ellipsis}`;
}

/** The effect of each mode on a value that the declared column does not allow. */
const contractOutcomes: Record<ContractMode, string> = {
  evolve: "such values are stored as they come",
  freeze: "a run fails at them, as schema_contract says",
  discard_row: "records with them are set aside, as schema_contract says",
  discard_value: "they are left out, as schema_contract says",
};

function columnWarnings(
  { shape, columns: foundColumns }: PreviewFindings,
  { columns, key, contract }: ResourcePlan,
): Warning[] {
  const outcome = contractOutcomes[contract.dataType];
  return Object.entries(columns).flatMap(([name, { dataType, nullable }]) => {
    if (key.fields.includes(name) || !shape.fields) return [];
    const field = shape.fields.get(name);
    if (!field) {
      const message = `"${name}" is declared in columns, and no record has it`;
      return [createWarning("column_unseen", name, message, nameHint(name, shape))];
    }
    const misfits = (foundColumns[name]?.variants ?? []).filter(
      (variant) => dataType && !includesType(dataType, variant),
    );
    const warnings: Warning[] = [];
    if (misfits.length > 0) {
      const message = `"${name}" is declared ${dataType}, and there are values that only fit ${misfits.join(", ")}`;
      const hint = `${outcome}; correct the data_type`;
      warnings.push(createWarning("value_type", name, message, hint));
    }
    if (nullable === false && (field.wasNull || field.wasMissing)) {
      const state = field.wasNull ? "null" : "missing";
      const message = `"${name}" is declared not to be null, and is ${state} in some records`;
      const hint = `${outcome}; declare it nullable`;
      warnings.push(createWarning("value_null", name, message, hint));
    }
    return warnings;
  });
}

function valueWarnings(
  { shape, recordCount, rejections }: PreviewFindings,
  { steps }: ResourcePlan,
): Warning[] {
  const groups = new Map<string, Rejection[]>();
  for (const rejection of rejections.filter(({ code }) => code !== KEY_MISSING)) {
    const group = `${rejection.code} ${rejection.path}`;
    groups.set(group, [...(groups.get(group) ?? []), rejection]);
  }
  const warnings = [...groups.values()].flatMap((group) =>
    group.slice(0, 1).map(({ path, message: reason }) => {
      const message = `${group.length} of ${recordCount} records cannot be stored: ${reason}`;
      const hint = "a run sets them aside; `tidetable quarantine list` shows them";
      return createWarning("rejected", path || null, message, hint);
    }),
  );
  if (shape.values) {
    const message = "the records have more than 1,000 names of fields: they are taken for data";
    const hint = `${steps.length > 0 ? "let" : "use"} processing_steps put them into one field`;
    warnings.push(createWarning("many_fields", null, message, hint));
  }
  return warnings;
}

function cursorWarnings({ cursor }: PreviewFindings, { incremental }: ResourcePlan): Warning[] {
  if (!cursor || !incremental) return [];
  const field = incremental.path.text;
  if ("error" in cursor) {
    if (!isFailure(cursor.error)) throw cursor.error;
    return [createWarning("cursor", field, cursor.error.message, cursor.error.hint ?? "")];
  }
  const { recordCount, outsideCount, isOrdered } = cursor;
  const warnings: Warning[] = [];
  if (!isOrdered) {
    const message = `the records are not in the order of "${field}" that row_order says: reading would end too early`;
    const hint = "remove row_order, or ask the API for this order in params";
    warnings.push(createWarning("cursor_order", field, message, hint));
  }
  if (outsideCount > 0 && incremental.onMissing !== "exclude") {
    const message = `${outsideCount} of ${recordCount} records are not in the range of "${field}" that was asked for, and are left out`;
    const hint = "check the parameter that carries the cursor: the API seems not to know it";
    warnings.push(createWarning("cursor_range", field, message, hint));
  }
  return warnings;
}

/** Names that APIs give to the parameter for the number of records of a page. */
const pageSizeNames =
  /^(limit|(per_?|max_?)?(page_?)?size|per_?page|max_?results|count|first|top)$/i;

/** Many APIs cut pages at these sizes, so a page of this size is seldom the whole list. */
const usualPageSizes = new Set([10, 20, 25, 30, 50, 100, 200, 250, 500, 1000]);

function pagingWarnings({ firstPage }: PreviewFindings): Warning[] {
  if (!firstPage) return [];
  const { recordCount, paginator, params, next } = firstPage;
  const sizeParam = Object.entries(params).find(([name]) =>
    pageSizeNames.test(name.replace(/^\$/, "")),
  );
  const limit = paginator.type === "offset" ? paginator.limit : Number(sizeParam?.[1]);
  const hasLimit = limit > 0;
  const isFull = recordCount === limit || (!hasLimit && !next && usualPageSizes.has(recordCount));
  if (!isFull || announcesEnd(firstPage)) return [];
  const amount = recordCount === limit ? `the limit of ${limit}` : recordCount;
  const message = next
    ? `the first page has exactly ${amount} records, and the answer names no total: only an empty page will end the reading`
    : `the first page has exactly ${amount} records, and nothing in the answer leads to a next one`;
  const hint = "check the paginator: are its type and its parameters those of the API?";
  return [createWarning("page_full", null, message, hint)];
}

/** True when the answer itself says whether there are more pages. */
function announcesEnd({ paginator, body, next }: FirstPage): boolean {
  if ("hasMore" in paginator && paginator.hasMore) return true;
  if (paginator.type !== "offset" && paginator.type !== "page_number") return next !== undefined;
  return readNamedTotal({ body }, paginator) !== undefined;
}

/** Numbered pages hide rows when others go. Only the number of items in the answers shows that. */
function countWarnings({ firstPage }: PreviewFindings): Warning[] {
  const { isNumbered = false, next } = firstPage ?? {};
  const unit = next?.memory?.count?.place.unit;
  if (!isNumbered || !next || unit === "items") return [];
  const message =
    unit === "pages"
      ? "pages are found by their number, and the answer names how many pages there are, but not how many records: where rows go while pages are read, up to a page of others may be missed unnoticed"
      : "pages are found by their number, and the answer does not name how many records there are: where rows go while pages are read, others may be missed unnoticed";
  const hint =
    "if the API has a cursor, or an offset with a limit of 10 or more, use that; otherwise a replace or a full refresh finds the rows later, and deletes a row only when two whole reads have not seen it";
  return [createWarning("uncounted_pages", null, message, hint)];
}

/** A later answer may lead detection elsewhere, so a config should name the detected values. */
function detectionWarnings({ firstPage }: PreviewFindings): Warning[] {
  const warnings: Warning[] = [];
  if (firstPage?.detectedSelector !== undefined) {
    const selector = firstPage.detectedSelector;
    const message = `data_selector is not set, and the records were found at "${selector}"`;
    const hint = `write it down: "data_selector": "${selector}"`;
    warnings.push(createWarning("selector_found", null, message, hint));
  }
  if (firstPage?.detectedPaginator) {
    const message = "paginator is not set, and was found by the first answer";
    const hint = `write it down: "paginator": ${JSON.stringify(firstPage.detectedPaginator)}`;
    warnings.push(createWarning("paginator_found", null, message, hint));
  }
  return warnings;
}
