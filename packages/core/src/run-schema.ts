import type { ResourcePlan } from "./config/plan-types.ts";
import type { SchemaReport } from "./flow.ts";
import { readSchema, type StoredSchema, writeSchema, writeVersion } from "./load/schemas.ts";
import type { Place, StateWorld } from "./load/state-query.ts";
import { changesOf, changeText, columnsHash, columnsOf } from "./schema/columns.ts";
import { type Fit, fitter } from "./schema/contract.ts";
import type { Members } from "./schema/kinds.ts";
import { emptyShape, observer, parseShape, shapeText } from "./schema/shape.ts";
import type { World } from "./world.ts";

/** The schema of a resource while a run works on it. */
export interface RunSchema {
  /** What each record goes through. Undefined: nothing. */
  fit: Fit | undefined;
  /** Adds what has become rows. */
  learn(records: readonly Members[]): void;
  /** When it returns, what was learnt is durable. Writes nothing when that was nothing. */
  keep(): Promise<void>;
  /** What is not as it was at the last version. */
  found(): SchemaReport;
  /** At the end of a run: makes a version of what it has found, unless that is the last one. */
  close(runId: string): Promise<void>;
}

/** Of more, a report says only how many. */
const MOST_CHANGES = 50;

export async function openSchema(
  resource: ResourcePlan,
  world: StateWorld,
  { place, tableId = "" }: { place: Place; tableId: string | undefined },
): Promise<RunSchema> {
  const found = await readSchema(world, place);
  const isSameTable = found?.table_id === tableId;
  let stored: StoredSchema = {
    revision: 0,
    version: 0,
    hash: null,
    ...found,
    ...(isSameTable ? {} : { seen: "{}", known: null }),
    table_id: tableId,
  } as StoredSchema;
  const seen = stored.seen === "{}" ? emptyShape() : parseShape(stored.seen);
  const known = stored.known === null ? undefined : parseShape(stored.known);
  const observe = observer(seen);
  let hasLearnt = false;

  async function put(changes: Partial<StoredSchema>): Promise<void> {
    const next = { ...stored, ...changes, revision: stored.revision + 1 };
    await writeSchema(world, place, next);
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
    fit: fitter(resource, known),
    learn(records) {
      for (const record of records) if (observe(record)) hasLearnt = true;
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
    async close(runId) {
      const { columns, hash, isNew } = now();
      if (!isNew) return;
      const version = stored.version + 1;
      const first_seen = new Date(world.clock.now()).toISOString();
      await writeVersion(world, place, { version, hash, first_seen, run_id: runId, columns });
      const text = shapeText(seen);
      await put({ seen: text, known: text, version, hash });
    },
  };
}

/** Drift blocks nothing in DynamoDB: whoever reads the table has to hear of it. */
export function tell(report: SchemaReport | undefined, { log }: Pick<World, "log">, place: Place) {
  if (!report || report.changed === 0) return;
  const named = report.changes.slice(0, 5).map(changeText).join(", ");
  const more = report.changed > 5 ? `, and ${report.changed - 5} more` : "";
  const { source, resource } = place;
  log.warn(
    `the schema is at version ${report.version}: ${named}${more}; \`tidetable schema ${source}/${resource} --diff\` shows it`,
    { source, resource },
  );
}
