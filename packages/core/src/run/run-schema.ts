import type { ResourceRef } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { SchemaReport } from "../report/types.ts";
import { changesOf, changeText, columnsHash, columnsOf } from "../schema/columns.ts";
import { type FitRecord, firstRunFitter, recordFitter } from "../schema/contract.ts";
import { ShapeObserver } from "../schema/observer.ts";
import { parseShape, type Shape, shapeText } from "../schema/shape.ts";
import {
  nothingSeen,
  readSchema,
  type StoredSchema,
  writeSchema,
  writeVersion,
} from "../state/schemas.ts";
import type { StateWorld } from "../state/state-table.ts";
import type { Members } from "../values/json.ts";

/** A report lists so many changes and counts the others. */
const MAX_CHANGES = 50;

/** Where the schema of a resource stands, and the lease under which it is written. */
interface SchemaContext {
  resource: ResourcePlan;
  world: StateWorld;
  resourceRef: ResourceRef;
  /** Another table under the same name begins with nothing seen. */
  tableId: string | undefined;
  token: number;
}

/** The schema of a resource while a run works on it. */
export class RunSchema {
  /** Applies the schema to a record. Undefined: there is nothing to apply. */
  readonly fit: FitRecord | undefined;
  readonly #context: SchemaContext;
  readonly #observer: ShapeObserver;
  /** The shape of everything that was ever seen; the observer adds to it. */
  readonly #seen: Shape;
  /** The shape at the last version; undefined before there is one. */
  readonly #known: Shape | undefined;
  /** As the state table has it. */
  #stored: StoredSchema;
  /** The observer has seen something that is not stored yet. */
  #hasLearnt = false;

  static async open(
    resource: ResourcePlan,
    world: StateWorld,
    under: Pick<SchemaContext, "resourceRef" | "tableId" | "token">,
  ): Promise<RunSchema> {
    const stored = await readSchema(world, under.resourceRef);
    return new RunSchema({ resource, world, ...under }, stored);
  }

  private constructor(context: SchemaContext, stored: StoredSchema | undefined) {
    const { resource, token, tableId = "" } = context;
    this.#context = context;
    this.#stored = {
      ...{ revision: 0, version: 0, hash: null, ...nothingSeen },
      ...stored,
      ...(stored?.table_id === tableId ? {} : nothingSeen),
      ...{ table_id: tableId, token },
    };
    this.#seen = parseShape(this.#stored.seen);
    this.#known = this.#stored.known === null ? undefined : parseShape(this.#stored.known);
    this.#observer = new ShapeObserver(this.#seen);
    this.fit = this.#known ? recordFitter(resource, this.#known) : firstRunFitter(resource);
  }

  /** Adds the fields of records that have become rows. */
  learn(records: readonly Members[]): void {
    for (const record of records) if (this.#observer.observe(record)) this.#hasLearnt = true;
  }

  /** When it returns, everything learnt so far is durable. Writes nothing when that was nothing. */
  async keep(): Promise<void> {
    if (this.#hasLearnt) await this.#put({ seen: shapeText(this.#seen) });
  }

  /** The changes since the last version. */
  report(): SchemaReport {
    const { columns, isNew } = this.#columnsNow();
    const { resource } = this.#context;
    const changes =
      isNew && this.#known ? changesOf(columnsOf(this.#known, resource), columns) : [];
    return {
      version: this.#stored.version + (isNew ? 1 : 0),
      changed: changes.length,
      changes: changes.slice(0, MAX_CHANGES),
    };
  }

  /**
   * At the end of a run: makes a version of the columns, unless they are those of the last one. A
   * first run that is only a part (a sample, or one that failed) binds the next run to nothing.
   */
  async close(runId: string, { isPart = false }: { isPart?: boolean } = {}): Promise<void> {
    const { world, resourceRef, token } = this.#context;
    const { columns, hash, isNew } = this.#columnsNow();
    const hasVersion = this.#stored.known !== null;
    const isSettled = hasVersion || !isPart;
    // An emptied table may come to the columns that it had: contracts hold to them again.
    if (!isNew && (hasVersion || !isSettled || this.#seen.kinds === 0)) return;
    const version = this.#stored.version + (isNew ? 1 : 0);
    if (isNew) {
      const first_seen = new Date(world.clock.now()).toISOString();
      const next = { version, hash, first_seen, run_id: runId, columns };
      await writeVersion(world, resourceRef, next, token);
    }
    const seen = shapeText(this.#seen);
    await this.#put({ seen, known: isSettled ? seen : null, version, hash });
  }

  #columnsNow() {
    const columns = columnsOf(this.#seen, this.#context.resource);
    const hash = columnsHash(columns);
    // A run without a record says nothing about fields.
    return { columns, hash, isNew: hash !== this.#stored.hash && this.#seen.kinds !== 0 };
  }

  async #put(changes: Partial<StoredSchema>): Promise<void> {
    const { world, resourceRef } = this.#context;
    const next = { ...this.#stored, ...changes, revision: this.#stored.revision + 1 };
    await writeSchema(world, resourceRef, next);
    this.#stored = next;
    this.#hasLearnt = false;
  }
}

/** A changed schema stops nothing in DynamoDB, so the people who read the table have to be told. */
export function warnOfChanges(
  report: SchemaReport | undefined,
  { log }: Pick<World, "log">,
  resourceRef: ResourceRef,
): void {
  if (!report || report.changed === 0) return;
  const named = report.changes.slice(0, 5).map(changeText).join(", ");
  const more = report.changed > 5 ? `, and ${report.changed - 5} more` : "";
  log.warn(
    `the schema is at version ${report.version}: ${named}${more}; \`tidetable schema --diff\` shows it`,
    { ...resourceRef },
  );
}
