import type { ResourceRef } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { SchemaReport } from "../report/types.ts";
import { changesOf, changeText, columnsHash, columnsOf } from "../schema/columns.ts";
import { type FitRecord, firstRunFitter, recordFitter } from "../schema/contract.ts";
import { ShapeObserver } from "../schema/observer.ts";
import { parseShape, shapeText } from "../schema/shape.ts";
import {
  nothingSeen,
  readSchema,
  type StoredSchema,
  writeSchema,
  writeVersion,
} from "../state/schemas.ts";
import type { StateWorld } from "../state/state-table.ts";
import type { Members } from "../values/json.ts";

/** The schema of a resource while a run works on it. */
export interface RunSchema {
  /** What each record goes through. Undefined: nothing. */
  fit: FitRecord | undefined;
  /** Adds what has become rows. */
  learn(records: readonly Members[]): void;
  /** When it returns, what was learnt is durable. Writes nothing when that was nothing. */
  keep(): Promise<void>;
  /** What is not as it was at the last version. */
  found(): SchemaReport;
  /**
   * At the end of a run: makes a version of what it has found, unless that is the last one. What
   * `part` of a first run has seen, a sample or one that failed, holds the next run to nothing.
   */
  close(runId: string, how?: { part: true }): Promise<void>;
}

/** Of more, a report says only how many. */
const MOST_CHANGES = 50;

export async function openSchema(
  resource: ResourcePlan,
  world: StateWorld,
  {
    resourceRef,
    tableId = "",
    token,
  }: { resourceRef: ResourceRef; tableId: string | undefined; token: number },
): Promise<RunSchema> {
  const found = await readSchema(world, resourceRef);
  let stored: StoredSchema = {
    ...{ revision: 0, version: 0, hash: null, ...nothingSeen },
    ...found,
    ...(found?.table_id === tableId ? {} : nothingSeen),
    ...{ table_id: tableId, token },
  };
  const seen = parseShape(stored.seen);
  const known = stored.known === null ? undefined : parseShape(stored.known);
  const observer = new ShapeObserver(seen);
  let hasLearnt = false;

  async function put(changes: Partial<StoredSchema>): Promise<void> {
    const next = { ...stored, ...changes, revision: stored.revision + 1 };
    await writeSchema(world, resourceRef, next);
    stored = next;
    hasLearnt = false;
  }

  function now() {
    const columns = columnsOf(seen, resource);
    const hash = columnsHash(columns);
    // A run that found nothing at all has nothing to say about fields.
    return { columns, hash, isNew: hash !== stored.hash && seen.kinds !== 0 };
  }

  return {
    fit: known ? recordFitter(resource, known) : firstRunFitter(resource),
    learn(records) {
      for (const record of records) if (observer.observe(record)) hasLearnt = true;
    },
    async keep() {
      if (hasLearnt) await put({ seen: shapeText(seen) });
    },
    found() {
      const { columns, isNew } = now();
      const changes = isNew && known ? changesOf(columnsOf(known, resource), columns) : [];
      return {
        version: stored.version + (isNew ? 1 : 0),
        changed: changes.length,
        changes: changes.slice(0, MOST_CHANGES),
      };
    },
    async close(runId, how) {
      const { columns, hash, isNew } = now();
      const isSettled = stored.known !== null || !how?.part;
      // An emptied table may come to the columns that it had: contracts hold to them again.
      if (!isNew && (stored.known !== null || !isSettled || seen.kinds === 0)) return;
      const version = stored.version + (isNew ? 1 : 0);
      if (isNew) {
        const first_seen = new Date(world.clock.now()).toISOString();
        const next = { version, hash, first_seen, run_id: runId, columns };
        await writeVersion(world, resourceRef, next, token);
      }
      const text = shapeText(seen);
      await put({ seen: text, known: isSettled ? text : null, version, hash });
    },
  };
}

/** Drift blocks nothing in DynamoDB: whoever reads the table has to hear of it. */
export function tell(
  report: SchemaReport | undefined,
  { log }: Pick<World, "log">,
  resourceRef: ResourceRef,
) {
  if (!report || report.changed === 0) return;
  const named = report.changes.slice(0, 5).map(changeText).join(", ");
  const more = report.changed > 5 ? `, and ${report.changed - 5} more` : "";
  log.warn(
    `the schema is at version ${report.version}: ${named}${more}; \`tidetable schema --diff\` shows it`,
    { ...resourceRef },
  );
}
