import type { ResourceRef } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { SchemaReport } from "../report/types.ts";
import { changesOf, changeText, columnsHash, columnsOf } from "../schema/columns.ts";
import { type FitRecord, firstRunFitter, recordFitter } from "../schema/contract.ts";
import { ShapeObserver } from "../schema/observer.ts";
import { parseShape, type Shape, shapeText } from "../schema/shape.ts";
import {
  emptySchema,
  readSchema,
  type StoredSchema,
  writeSchema,
  writeVersion,
} from "../state/schemas.ts";
import type { StateWorld } from "../state/state-table.ts";
import type { Members } from "../values/json.ts";

/** The number of changes that a report lists. Further changes are only counted. */
const MAX_CHANGES = 50;

/** The resource of a schema, and the lease token under which the schema is written. */
interface SchemaContext {
  resource: ResourcePlan;
  world: StateWorld;
  resourceRef: ResourceRef;
  /** A new table under the same name begins with an empty schema. */
  tableId: string | undefined;
  token: number;
}

/** The schema of a resource while a run works on it. */
export class RunSchema {
  /** Applies the schema to a record. Undefined when no record can change. */
  readonly fit: FitRecord | undefined;
  readonly #context: SchemaContext;
  readonly #observer: ShapeObserver;
  /** The shape of all records so far. The observer adds to the shape. */
  readonly #seenShape: Shape;
  /** The shape at the last version; undefined before the first version. */
  readonly #versionShape: Shape | undefined;
  /** The schema item as stored in the state table. */
  #stored: StoredSchema;
  /** True when the observer has found fields that are not stored yet. */
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
      ...{ revision: 0, version: 0, hash: null, ...emptySchema },
      ...stored,
      ...(stored?.table_id === tableId ? {} : emptySchema),
      ...{ table_id: tableId, token },
    };
    this.#seenShape = parseShape(this.#stored.seen);
    this.#versionShape = this.#stored.known === null ? undefined : parseShape(this.#stored.known);
    this.#observer = new ShapeObserver(this.#seenShape);
    this.fit = this.#versionShape
      ? recordFitter(resource, this.#versionShape)
      : firstRunFitter(resource);
  }

  /** Adds the fields of records that have become rows. */
  learn(records: readonly Members[]): void {
    for (const record of records) if (this.#observer.observe(record)) this.#hasLearnt = true;
  }

  /** Makes all learnt fields durable. Writes only when a field is new. */
  async keep(): Promise<void> {
    if (this.#hasLearnt) await this.#put({ seen: shapeText(this.#seenShape) });
  }

  /** Reports the changes since the last version. */
  report(): SchemaReport {
    const { columns, isNew } = this.#columnsNow();
    const { resource } = this.#context;
    const changes =
      isNew && this.#versionShape
        ? changesOf(columnsOf(this.#versionShape, resource), columns)
        : [];
    return {
      version: this.#stored.version + (isNew ? 1 : 0),
      changed: changes.length,
      changes: changes.slice(0, MAX_CHANGES),
    };
  }

  /**
   * Ends a run: stores a new version if the columns differ from the last version. A partial first run
   * (a sample, or a failed run) does not bind the next run to its columns.
   */
  async close(runId: string, { isPart = false }: { isPart?: boolean } = {}): Promise<void> {
    const { world, resourceRef, token } = this.#context;
    const { columns, hash, isNew } = this.#columnsNow();
    const hasVersion = this.#stored.known !== null;
    const isSettled = hasVersion || !isPart;
    // A reset table may get the same columns again. Contracts then apply to these columns.
    if (!isNew && (hasVersion || !isSettled || this.#seenShape.kinds === 0)) return;
    const version = this.#stored.version + (isNew ? 1 : 0);
    if (isNew) {
      const first_seen = new Date(world.clock.now()).toISOString();
      const next = { version, hash, first_seen, run_id: runId, columns };
      await writeVersion(world, resourceRef, next, token);
    }
    const seenText = shapeText(this.#seenShape);
    await this.#put({ seen: seenText, known: isSettled ? seenText : null, version, hash });
  }

  #columnsNow() {
    const columns = columnsOf(this.#seenShape, this.#context.resource);
    const hash = columnsHash(columns);
    // A run without records has no information about fields.
    return { columns, hash, isNew: hash !== this.#stored.hash && this.#seenShape.kinds !== 0 };
  }

  async #put(changes: Partial<StoredSchema>): Promise<void> {
    const { world, resourceRef } = this.#context;
    const next = { ...this.#stored, ...changes, revision: this.#stored.revision + 1 };
    await writeSchema(world, resourceRef, next);
    this.#stored = next;
    this.#hasLearnt = false;
  }
}

/** Logs schema changes. DynamoDB accepts any schema, so only a warning informs readers of the table. */
export function warnOfChanges(
  report: SchemaReport | undefined,
  { log }: Pick<World, "log">,
  resourceRef: ResourceRef,
): void {
  if (!report || report.changed === 0) return;
  const named = report.changes.slice(0, 5).map(changeText).join(", ");
  const moreText = report.changed > 5 ? `, and ${report.changed - 5} more` : "";
  log.warn(
    `the schema is at version ${report.version}: ${named}${moreText}; \`tidetable schema --diff\` shows it`,
    { ...resourceRef },
  );
}
