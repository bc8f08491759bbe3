import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { type Names, scheduleFunctionName } from "@tidetable/core/plan";
import type { StartedRuns } from "./follow.ts";

interface Invocation {
  /** The function's return value, or Lambda's description of its error. */
  answer: unknown;
  hasFailed: boolean;
}

/** Invokes a function and waits for its answer, as the console's test button does. */
export async function invokeFunction(
  lambda: LambdaClient,
  functionName: string,
  event: object,
  abortSignal?: AbortSignal,
): Promise<Invocation> {
  const command = new InvokeCommand({
    FunctionName: functionName,
    InvocationType: "RequestResponse",
    Payload: JSON.stringify(event),
  });
  const { FunctionError, Payload } = await lambda.send(command, abortSignal ? { abortSignal } : {});
  const answer = JSON.parse(Payload?.transformToString() ?? "null");
  return { answer, hasFailed: FunctionError !== undefined };
}

export async function invokeSchedule(
  lambda: LambdaClient,
  names: Names,
  event: object,
): Promise<StartedRuns> {
  const { answer, hasFailed } = await invokeFunction(lambda, scheduleFunctionName(names), event);
  if (!hasFailed) return answer as StartedRuns;
  throw new Error(`the schedule function failed: ${Object(answer).errorMessage}`);
}
