import type { ResponseAction, ResponseHook } from "./endpoint-types.ts";
import type { ActionPlan, StepPlan } from "./plan-types.ts";
import type { ProcessingStep } from "./types.ts";

/** A step is an object with one function under the name of its kind. */
export const planSteps = (steps: readonly ProcessingStep[]): StepPlan[] =>
  steps.flatMap((step) => Object.entries(step).map(([kind, run]) => ({ kind, run }) as StepPlan));

export const planActions = (actions: readonly (ResponseAction | ResponseHook)[]): ActionPlan[] =>
  actions.map((action) => {
    if (typeof action === "function") {
      return { statusCode: undefined, content: undefined, run: [action] };
    }
    const { status_code, content, action: run } = action;
    return {
      statusCode: status_code,
      content,
      run: run === "ignore" ? "ignore" : [run].flat(),
    };
  });
