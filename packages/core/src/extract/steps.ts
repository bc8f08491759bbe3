import { RequestError } from "../base/errors.ts";
import type { StepPlan } from "../config/plan-types.ts";
import type { JsonObject, JsonValue } from "../values/json.ts";

/** What the config's functions make of a page's records, one step after the other. */
export function applySteps(records: readonly JsonValue[], steps: readonly StepPlan[]): JsonValue[] {
  return steps.reduce<JsonValue[]>(
    (before, step, index) =>
      before.flatMap((record) => apply(record as JsonObject, step, `processing_steps[${index}]`)),
    [...records],
  );
}

function apply(record: JsonObject, { kind, run }: StepPlan, place: string): JsonValue[] {
  try {
    const result = run(record);
    if (kind === "filter") return result ? [record] : [];
    const made = kind === "map" ? [result] : [...(result as Iterable<unknown>)];
    if (made.every(isRecord)) return made as JsonValue[];
  } catch (error) {
    // Its message may quote the record.
    const name = error instanceof Error ? error.name : typeof error;
    throw broken(`${place} (${kind}) threw ${name}`, "correct the function in the source's file");
  }
  throw broken(`${place} (${kind}) returned no record`, "return an object; to drop one, filter it");
}

const isRecord = (value: unknown) => typeof value === "object" && value !== null;

const broken = (message: string, hint: string) =>
  new RequestError({ code: "extract.step", message, hint, retryable: false });
