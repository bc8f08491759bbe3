import type { World } from "../base/world.ts";
import type { ContractPlan, IncrementalPlan, ResourcePlan } from "../config/plan-types.ts";
import { advance, type Range } from "../extract/cursor/cursor.ts";
import { isBehind, type Mark, mark } from "../extract/cursor/marks.ts";
import { openSession, pages, type Session } from "../extract/pages.ts";
import { findPaginator, findSelector } from "../extract/paging/findings.ts";
import { find } from "../extract/select.ts";
import type { Page, Rejection } from "../flow.ts";
import { toItems } from "../normalize/items.ts";
import { noCounts } from "../report/counts.ts";
import { type ParentValues, rowNaming, withSteps } from "../run/page-records.ts";
import { type Reach, reach } from "../run/reach.ts";
import { sampleSeries } from "../run/sample-parents.ts";
import { type Columns, columnsOf } from "../schema/columns.ts";
import { fitter } from "../schema/contract.ts";
import { emptyShape, observer } from "../schema/shape.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { Place } from "../state/state-table.ts";
import { isObject, type JsonObject, type JsonValue, type Members } from "../values/json.ts";
import { type FirstPage, type Seen, type Warning, warningsOf } from "./warnings.ts";

/** What a run would read first, and what is worth knowing of it before a deploy. */
export interface Preview {
  /** All that were read, as they would be stored; what can not be stored, as it came. */
  records: Members[];
  pages: number;
  /** What is declared, over what has been seen. */
  columns: Columns;
  /** What has been seen alone. */
  inferred: Columns;
  warnings: Warning[];
}

/** A preview is a look: parents without records could make it a run. */
const MOST_PAGES = 10;

/** What the contract would not let in is to be seen here. */
const open: ContractPlan = { tables: "evolve", columns: "evolve", dataType: "evolve" };

/** Reads until there are `limit` records, and writes nothing. Needs no table. */
export function preview({ limit, ...place }: Place & { limit: number }, deps: Reach) {
  const { resource, world, secrets } = reach(place, deps);
  return previewResource(resource, world, secrets, limit);
}

async function previewResource(
  resource: ResourcePlan,
  world: World,
  secrets: SecretStore,
  limit: number,
): Promise<Preview> {
  const asking = { world, secrets, meter: noCounts(), pages: 1 };
  const session = listening(openSession(resource, asking));
  const fit = fitter({ ...resource, contract: open }, undefined);
  const shape = emptyShape();
  const observe = observer(shape);
  const records: Members[] = [];
  const seen: Omit<Seen, "columns"> = { shape, read: 0, superseded: 0, rejections: [] };

  function take(
    page: Page,
    { parent, range }: { parent: ParentValues | undefined; range: Range },
  ): void {
    const all = withSteps(page.records, parent?.added ?? {}, resource.steps);
    const naming = rowNaming(parent, "preview");
    const { fitted, rejections, superseded } = toItems(all, resource, naming, fit);
    const shown = withRejected(fitted, rejections, all.length);
    for (const one of shown) observe(one);
    records.push(...shown);
    seen.read += all.length;
    seen.superseded += superseded;
    seen.rejections.push(...rejections);
    seen.cursor ??= cursorOf(all, range, resource);
  }

  let count = 0;
  series: for await (const { request, ...series } of sampleSeries(resource, asking)) {
    for await (const page of pages(resource, request, undefined, session)) {
      take(page, series);
      const { params } = request;
      seen.first ??= firstPage(page, { resource, params, answer: session.heard() });
      count += 1;
      if (seen.read >= limit || count === MOST_PAGES) break series;
    }
  }
  const columns = columnsOf(shape, resource);
  return {
    records,
    pages: count,
    columns,
    inferred: columnsOf(shape, { columns: {}, key: { ...resource.key, fields: [] } }),
    warnings: warningsOf({ ...seen, columns }, resource),
  };
}

type Answer = Awaited<ReturnType<Session["fetch"]>>;

/** Keeps the last answer: a page no longer has what it was made from. What it says is a warning here. */
function listening(session: Session): Session & { heard: () => Answer | undefined } {
  let last: Answer | undefined;
  return {
    ...session,
    say() {},
    async fetch(request) {
      last = await session.fetch(request);
      return last;
    },
    heard: () => last,
  };
}

/** In the order of the page. */
function withRejected(
  fitted: readonly Members[],
  rejections: readonly Rejection[],
  count: number,
): Members[] {
  const aside = new Map(rejections.map(({ index, record }) => [index, record]));
  const rest = fitted.values();
  return Array.from({ length: count }, (_, index) => aside.get(index) ?? rest.next().value).filter(
    (one) => isObject(one as JsonValue),
  ) as Members[];
}

function cursorOf(
  records: readonly JsonValue[],
  range: Range,
  { incremental }: ResourcePlan,
): Seen["cursor"] {
  if (!incremental || records.length === 0) return undefined;
  try {
    const { length: kept } = advance(records, incremental, range, null).records;
    const found = { of: records.length, outside: records.length - kept };
    const isOrdered = inOrder(records, incremental);
    return found.outside > 0 || !isOrdered ? { ...found, isOrdered } : undefined;
  } catch (error) {
    return { error };
  }
}

/** Whether the records come as row_order says, where it says something. */
function inOrder(records: readonly JsonValue[], plan: IncrementalPlan): boolean {
  const { path, rowOrder } = plan;
  if (rowOrder === undefined) return true;
  const marks = records.flatMap((record) => {
    const value = find(record, path);
    return typeof value === "string" || typeof value === "number" ? [mark(value)] : [];
  });
  if (rowOrder === "desc") marks.reverse();
  return marks.every((one, i) => i === 0 || !isBehind(one, marks[i - 1] as Mark, plan));
}

function firstPage(
  { request, records, next }: Page,
  {
    resource,
    params,
    answer,
  }: { resource: ResourcePlan; params: Record<string, unknown>; answer: Answer | undefined },
): FirstPage {
  const { body, headers = {} } = answer ?? {};
  const found = findPaginator(resource, request, records, { headers, body, params });
  return {
    records: records.length,
    paginator: found.plan,
    detected: found.memory?.paginator,
    // A body that is the list leaves nothing to write down.
    selector:
      resource.selector || Array.isArray(body)
        ? undefined
        : findSelector(resource, request, body)?.text,
    params,
    request,
    body,
    next,
  };
}
