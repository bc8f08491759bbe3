import { isFailure } from "../base/errors.ts";
import type { ContractMode, PaginatorPlan, ResourcePlan } from "../config/plan-types.ts";
import { nearest } from "../config/suggest.ts";
import { totalOf } from "../extract/paging/paging.ts";
import type { PageRequest, Rejection } from "../flow.ts";
import { type Columns, holds } from "../schema/columns.ts";
import { kinds, typesOf } from "../schema/kinds.ts";
import type { Shape } from "../schema/shape.ts";
import type { JsonValue } from "../values/json.ts";

/** Something to settle before a deploy. Scripts match on `code`. */
export interface Warning {
  code: string;
  /** The field that it is about. */
  field: string | null;
  message: string;
  hint: string;
}

/** What a preview decides from. */
export interface Seen {
  shape: Shape;
  columns: Columns;
  /** How many records. */
  read: number;
  superseded: number;
  rejections: Rejection[];
  /** What an incremental has against a page. */
  cursor?: { error: unknown } | { outside: number; of: number; isOrdered: boolean } | undefined;
  first?: FirstPage;
}

export interface FirstPage {
  /** How many the answer had. */
  records: number;
  /** The resource's, or the one that was found. */
  paginator: PaginatorPlan;
  /** In a config's words, what was found and is not written down. */
  detected: object | undefined;
  selector: string | undefined;
  /** The query parameters of the resource itself. */
  params: Record<string, unknown>;
  request: PageRequest;
  next: PageRequest | undefined;
  body: JsonValue | undefined;
}

/** Pure. In the order in which a person would settle them. */
export function warningsOf(seen: Seen, resource: ResourcePlan): Warning[] {
  if (seen.read === 0) return [noRecords(resource), ...foundOut(seen)];
  return [
    ...keyWarnings(seen, resource),
    ...columnWarnings(seen, resource),
    ...valueWarnings(seen, resource),
    ...cursorWarnings(seen, resource),
    ...pagingWarnings(seen),
    ...foundOut(seen),
  ];
}

const warning = (code: string, field: string | null, message: string, hint: string): Warning => ({
  code: `preview.${code}`,
  field,
  message,
  hint,
});

const noRecords = ({ parent }: ResourcePlan): Warning =>
  warning(
    "no_records",
    null,
    parent
      ? `the first records of ${parent.plan.name} have none here: nothing can be said of their fields`
      : "the first page has no records: nothing can be said of their fields",
    "check data_selector and params, or preview again when there are some",
  );

const KEY_MISSING = "record.key_missing";

const numbers = kinds.bigint | kinds.double | kinds.decimal;

function keyWarnings(
  { shape, read, superseded, rejections }: Seen,
  { key, columns, disposition, incremental }: ResourcePlan,
): Warning[] {
  const warnings: Warning[] = [];
  if (disposition === "append" && !incremental) {
    const message = "records are appended: every run adds all of them once more";
    const hint = 'name the field that tells them apart, for instance "primary_key": "id"';
    warnings.push(warning("no_key", null, message, hint));
  }
  for (const field of key.fields) {
    const without = rejections.filter((one) => one.code === KEY_MISSING && one.path === field);
    if (without.length === 0) continue;
    const isNowhere = !shape.fields?.get(field);
    const message = isNowhere
      ? `no record has the key field "${field}"`
      : `${without.length} of ${read} records have nothing in the key field "${field}", and can not be stored`;
    const hint = isNowhere ? hintOf(field, shape) : "name a primary_key that every record has";
    warnings.push(warning("key_missing", field, message, hint));
  }
  for (const { name, type } of [key.hash, ...(key.range ? [key.range] : [])]) {
    const seen = shape.fields?.get(name)?.kinds ?? 0;
    if (type !== "S" || columns[name]?.dataType || (seen & numbers) === 0) continue;
    const [found] = typesOf(seen);
    const message = `"${name}" is a ${found} and becomes a text key, since columns does not declare its type: keys sort as texts`;
    const hint = `keep it, or declare "columns": {"${name}": {"data_type": "${found}"}} before the first deploy: a table's key never changes`;
    warnings.push(warning("key_text", name, message, hint));
  }
  if (superseded > 0) {
    const message = `${superseded} of ${read} records have the key of another one on their page, and one of them stays`;
    const hint = "name in primary_key all fields that tell records apart";
    warnings.push(warning("key_repeated", key.fields.join(", "), message, hint));
  }
  return warnings;
}

/** Of more, the first ones say enough. */
const SHOWN_NAMES = 10;

function hintOf(field: string, { fields }: Shape): string {
  const names = [...(fields?.keys() ?? [])];
  const meant = nearest(field, names);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const more = names.length > SHOWN_NAMES ? ", …" : "";
  return `the records have ${names.slice(0, SHOWN_NAMES).join(", ")}${more}`;
}

/** What becomes of a value that the contract does not let in. */
const outcomes: Record<ContractMode, string> = {
  evolve: "such values are stored as they come",
  freeze: "a run fails at them, as schema_contract says",
  discard_row: "records with them are set aside, as schema_contract says",
  discard_value: "they are left out, as schema_contract says",
};

function columnWarnings(
  { shape, columns: found }: Seen,
  { columns, key, contract }: ResourcePlan,
): Warning[] {
  const outcome = outcomes[contract.dataType];
  return Object.entries(columns).flatMap(([name, { dataType, nullable }]) => {
    if (key.fields.includes(name)) return [];
    const seen = shape.fields?.get(name);
    if (!seen && !shape.fields) return [];
    if (!seen) {
      const message = `"${name}" is declared in columns, and no record has it`;
      return [warning("column_unseen", name, message, hintOf(name, shape))];
    }
    const others = (found[name]?.variants ?? []).filter((one) => dataType && !holds(dataType, one));
    const warnings: Warning[] = [];
    if (others.length > 0) {
      const message = `"${name}" is declared ${dataType}, and there are values that only fit ${others.join(", ")}`;
      warnings.push(warning("value_type", name, message, `${outcome}; correct the data_type`));
    }
    if (nullable === false && (seen.isNull || seen.isMissing)) {
      const what = seen.isNull ? "null" : "missing";
      const message = `"${name}" is declared not to be null, and is ${what} in some records`;
      warnings.push(warning("value_null", name, message, `${outcome}; declare it nullable`));
    }
    return warnings;
  });
}

function valueWarnings({ shape, read, rejections }: Seen, { steps }: ResourcePlan): Warning[] {
  const warnings: Warning[] = [];
  const groups = new Map<string, Rejection[]>();
  for (const one of rejections.filter(({ code }) => code !== KEY_MISSING)) {
    const group = `${one.code} ${one.path}`;
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  for (const [one, ...more] of groups.values()) {
    if (!one) continue;
    const message = `${more.length + 1} of ${read} records can not be stored: ${one.message}`;
    const hint = "a run sets them aside; `tidetable quarantine list` shows them";
    warnings.push(warning("rejected", one.path || null, message, hint));
  }
  if (shape.values) {
    const message = "the records have more than 1,000 names of fields: they are taken for data";
    const hint = `${steps.length > 0 ? "let" : "use"} processing_steps put them into one field`;
    warnings.push(warning("many_fields", null, message, hint));
  }
  return warnings;
}

function cursorWarnings({ cursor }: Seen, { incremental }: ResourcePlan): Warning[] {
  if (!cursor || !incremental) return [];
  const field = incremental.path.text;
  if ("error" in cursor) {
    if (!isFailure(cursor.error)) throw cursor.error;
    return [warning("cursor", field, cursor.error.message, cursor.error.hint ?? "")];
  }
  const warnings: Warning[] = [];
  if (!cursor.isOrdered) {
    const message = `the records are not in the order of "${field}" that row_order says: reading would end too early`;
    const hint = "remove row_order, or ask the API for this order in params";
    warnings.push(warning("cursor_order", field, message, hint));
  }
  if (cursor.outside > 0 && incremental.onMissing !== "exclude") {
    const message = `${cursor.outside} of ${cursor.of} records are not in the range of "${field}" that was asked for, and are left out`;
    const hint = "check the parameter that carries the cursor: the API seems not to know it";
    warnings.push(warning("cursor_range", field, message, hint));
  }
  return warnings;
}

/** What APIs call the number of records of a page. */
const sizeNames = /^(limit|(per_?|max_?)?(page_?)?size|per_?page|max_?results|count|first|top)$/i;

/** A page of so many records is seldom all that there is. */
const usualSizes = new Set([10, 20, 25, 30, 50, 100, 200, 250, 500, 1000]);

function pagingWarnings({ first }: Seen): Warning[] {
  if (!first) return [];
  const { records, paginator, params, next } = first;
  const named = Object.entries(params).find(([name]) => sizeNames.test(name.replace(/^\$/, "")));
  const limit = paginator.type === "offset" ? paginator.limit : Number(named?.[1]);
  const isFull = records === limit || (!(limit > 0) && !next && usualSizes.has(records));
  if (!isFull || saysItsEnd(first)) return [];
  const asked = records === limit ? `the limit of ${limit}` : records;
  const message = next
    ? `the first page has exactly ${asked} records, and the answer names no total: only an empty page will end the reading`
    : `the first page has exactly ${asked} records, and nothing in the answer leads to a next one`;
  const hint = "check the paginator: are its type and its parameters those of the API?";
  return [warning("page_full", null, message, hint)];
}

/** Whether the API itself says how much there is. */
function saysItsEnd({ paginator, request, body, next }: FirstPage): boolean {
  if ("hasMore" in paginator && paginator.hasMore) return true;
  if (paginator.type !== "offset" && paginator.type !== "page_number") return next !== undefined;
  const seen = { request, body, url: "", records: [], headers: {} };
  return totalOf(seen, paginator) !== undefined;
}

/** What a config leaves open was found out, and may be found otherwise tomorrow. */
function foundOut({ first }: Seen): Warning[] {
  const warnings: Warning[] = [];
  if (first?.selector !== undefined) {
    const message = `data_selector is not set, and the records were found at "${first.selector}"`;
    const hint = `write it down: "data_selector": "${first.selector}"`;
    warnings.push(warning("selector_found", null, message, hint));
  }
  if (first?.detected) {
    const text = JSON.stringify(first.detected);
    const message = "paginator is not set, and was found by the first answer";
    warnings.push(warning("paginator_found", null, message, `write it down: "paginator": ${text}`));
  }
  return warnings;
}
