import type { ResourceRef } from "../base/resource-ref.ts";
import type { ContractPlan, IncrementalPlan, ResourcePlan } from "../config/plan-types.ts";
import { advanceCursor, type CursorRange } from "../extract/cursor/cursor.ts";
import { isBefore } from "../extract/cursor/cursor-values.ts";
import type { FilledRequest } from "../extract/fill-request.ts";
import type { Answer } from "../extract/http/answer.ts";
import { fetchPages, openSession, type Page, type Session } from "../extract/pages.ts";
import { choosePaginator, chooseSelector } from "../extract/paging/choose-paginator.ts";
import { findValue } from "../extract/select.ts";
import type { Rejection } from "../flow.ts";
import { toItems } from "../normalize/items.ts";
import { zeroCounts } from "../report/counts.ts";
import { rowNaming, withSteps } from "../run/page-records.ts";
import { type ReachOptions, reachResource } from "../run/reach.ts";
import { type SampleSeries, sampleSeries } from "../run/sample-parents.ts";
import { type Columns, columnsOf } from "../schema/columns.ts";
import { type FitRecord, recordFitter } from "../schema/contract.ts";
import { ShapeObserver } from "../schema/observer.ts";
import { emptyShape } from "../schema/shape.ts";
import { type ParsedCursor, parseCursor } from "../values/cursor-value.ts";
import { isObject, type JsonValue, type Members } from "../values/json.ts";
import { type CursorFinding, type FirstPage, type Warning, warningsOf } from "./warnings.ts";

/** The records that a first run would read, and warnings to act on before a deploy. */
export interface Preview {
  /**
   * Records in their stored form. A record that cannot be stored has the form that the API sent.
   */
  records: Members[];
  pageCount: number;
  /** The declared columns over the inferred ones. */
  columns: Columns;
  /** The columns that the records alone show. */
  inferredColumns: Columns;
  warnings: Warning[];
}

/** Limits a child whose parents have no records, which would otherwise read every parent. */
const MAX_PAGES = 10;

/** A preview shows new fields and types, which a resource's own contract might leave out. */
const openContract: ContractPlan = { tables: "evolve", columns: "evolve", dataType: "evolve" };

/** Reads pages until `limit` records are read. Does not write, and needs no table. */
export async function previewResource(
  { limit, ...resourceRef }: ResourceRef & { limit: number },
  deps: ReachOptions,
): Promise<Preview> {
  const { resource, world, secrets } = reachResource(resourceRef, deps);
  const access = { world, secrets, meter: zeroCounts(), pages: 1 };
  const { session, lastAnswer } = keepLastAnswer(openSession(resource, access));
  const collector = new PreviewCollector(resource);
  for await (const series of sampleSeries(resource, access)) {
    for await (const page of fetchPages(resource, series.request, undefined, session)) {
      collector.addPage(page, series, lastAnswer());
      if (collector.recordCount >= limit || collector.pageCount === MAX_PAGES) {
        return collector.finish();
      }
    }
  }
  return collector.finish();
}

/** Wraps a session and keeps the last answer, because a page has lost its body and headers. */
function keepLastAnswer(session: Session): {
  session: Session;
  lastAnswer: () => Answer | undefined;
} {
  let answer: Answer | undefined;
  const keeping: Session = {
    ...session,
    // The lines that paging logs are warnings of the preview.
    log() {},
    async fetch(request) {
      answer = await session.fetch(request);
      return answer;
    },
  };
  return { session: keeping, lastAnswer: () => answer };
}

/** Gathers pages into a preview. */
class PreviewCollector {
  recordCount = 0;
  pageCount = 0;
  readonly #resource: ResourcePlan;
  readonly #fitRecord: FitRecord | undefined;
  readonly #shape = emptyShape();
  readonly #observer = new ShapeObserver(this.#shape);
  readonly #records: Members[] = [];
  readonly #rejections: Rejection[] = [];
  /** Counts records that a later record of the page replaces, because the keys are the same. */
  #supersededCount = 0;
  /** The first page with a cursor problem decides the warning. */
  #cursorFinding: CursorFinding | undefined;
  #firstPage: FirstPage | undefined;

  constructor(resource: ResourcePlan) {
    this.#resource = resource;
    this.#fitRecord = recordFitter({ ...resource, contract: openContract }, undefined);
  }

  addPage(page: Page, { request, parent, range }: SampleSeries, answer: Answer | undefined): void {
    const records = withSteps(page.records, parent?.added ?? {}, this.#resource.steps);
    const { typedRecords, rejections, superseded } = toItems(
      records,
      this.#resource,
      rowNaming(parent, "preview"),
      this.#fitRecord,
    );
    const previewed = insertRejected(typedRecords, rejections, records.length);
    for (const record of previewed) this.#observer.observe(record);
    this.#records.push(...previewed);
    this.#rejections.push(...rejections);
    this.#supersededCount += superseded;
    this.#cursorFinding ??= checkCursor(records, range, this.#resource);
    this.#firstPage ??= describeFirstPage(page, this.#resource, request.params, answer);
    this.recordCount += records.length;
    this.pageCount += 1;
  }

  finish(): Preview {
    const columns = columnsOf(this.#shape, this.#resource);
    const undeclared = { columns: {}, key: { ...this.#resource.key, fields: [] } };
    const findings = {
      shape: this.#shape,
      columns,
      recordCount: this.recordCount,
      supersededCount: this.#supersededCount,
      rejections: this.#rejections,
      cursor: this.#cursorFinding,
      firstPage: this.#firstPage,
    };
    return {
      records: this.#records,
      pageCount: this.pageCount,
      columns,
      inferredColumns: columnsOf(this.#shape, undeclared),
      warnings: warningsOf(findings, this.#resource),
    };
  }
}

/** Puts the rejected records back between the typed ones, in the order of the page. */
function insertRejected(
  typedRecords: readonly Members[],
  rejections: readonly Rejection[],
  count: number,
): Members[] {
  const rejectedByIndex = new Map(rejections.map(({ index, record }) => [index, record]));
  const remaining = typedRecords.values();
  const records = Array.from(
    { length: count },
    (_, index) => rejectedByIndex.get(index) ?? remaining.next().value,
  );
  return records.filter((record) => isObject(record)) as Members[];
}

function checkCursor(
  records: readonly JsonValue[],
  range: CursorRange,
  { incremental }: ResourcePlan,
): CursorFinding | undefined {
  if (!incremental || records.length === 0) return undefined;
  try {
    const inRange = advanceCursor(records, incremental, range, null).records;
    const outsideCount = records.length - inRange.length;
    const isOrdered = hasRowOrder(records, incremental);
    if (outsideCount === 0 && isOrdered) return undefined;
    return { recordCount: records.length, outsideCount, isOrdered };
  } catch (error) {
    return { error };
  }
}

/** True when the records have the order of row_order, or when row_order is not set. */
function hasRowOrder(records: readonly JsonValue[], plan: IncrementalPlan): boolean {
  const { path, rowOrder } = plan;
  if (rowOrder === undefined) return true;
  const cursors = records.flatMap((record) => {
    const value = findValue(record, path);
    return typeof value === "string" || typeof value === "number" ? [parseCursor(value)] : [];
  });
  if (rowOrder === "desc") cursors.reverse();
  return cursors.every(
    (cursor, index) => index === 0 || !isBefore(cursor, cursors[index - 1] as ParsedCursor, plan),
  );
}

function describeFirstPage(
  { request, records, next, isNumbered = false }: Page,
  resource: ResourcePlan,
  params: FilledRequest["params"],
  answer: Answer | undefined,
): FirstPage {
  const { body, headers = {} } = answer ?? {};
  const chosen = choosePaginator(resource, request, records, { headers, body, params });
  // A body that is itself the list needs no data_selector.
  const needsSelector = !resource.selector && !Array.isArray(body);
  return {
    recordCount: records.length,
    paginator: chosen.plan,
    detectedPaginator: chosen.memory?.paginator,
    detectedSelector: needsSelector ? chooseSelector(resource, request, body)?.text : undefined,
    params,
    next,
    isNumbered,
    body,
  };
}
