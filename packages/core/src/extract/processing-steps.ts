import { RequestError } from "../base/errors.ts";
import type { StepPlan } from "../config/plan-types.ts";
import type { JsonObject, JsonValue } from "../values/json.ts";

/** Runs the config's functions over a page's records, step by step. */
export function applySteps(records: readonly JsonValue[], steps: readonly StepPlan[]): JsonValue[] {
  return steps.reduce<JsonValue[]>(
    (stepInput, step, index) =>
      stepInput.flatMap((record) =>
        applyStep(record as JsonObject, step, `processing_steps[${index}]`),
      ),
    [...records],
  );
}

function applyStep(record: JsonObject, { kind, run }: StepPlan, stepPath: string): JsonValue[] {
  try {
    const result = run(record);
    if (kind === "filter") return result ? [record] : [];
    const results = kind === "map" ? [result] : [...(result as Iterable<unknown>)];
    if (results.every(isRecord)) return results as JsonValue[];
  } catch (error) {
    // The message of the function's error may quote the record.
    const name = error instanceof Error ? error.name : typeof error;
    throw stepError(
      `${stepPath} (${kind}) threw ${name}`,
      "correct the function in the source's file",
    );
  }
  throw stepError(
    `${stepPath} (${kind}) returned no record`,
    "return an object; to drop one, filter it",
  );
}

const isRecord = (value: unknown) => typeof value === "object" && value !== null;

const stepError = (message: string, hint: string) =>
  new RequestError({ code: "extract.step", message, hint, retryable: false });
