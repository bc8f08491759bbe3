import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { type Names, scheduleFunctionName } from "@tidetable/core";
import type { Started } from "./follow.ts";

/** Calls the schedule function and waits for its answer, as the console's test button does. */
export async function invokeSchedule(
  lambda: LambdaClient,
  names: Names,
  event: object,
): Promise<Started> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({
      FunctionName: scheduleFunctionName(names),
      InvocationType: "RequestResponse",
      Payload: JSON.stringify(event),
    }),
  );
  const answer = JSON.parse(Payload?.transformToString() ?? "null");
  if (!FunctionError) return answer;
  throw new Error(`the schedule function failed: ${answer.errorMessage}`);
}
