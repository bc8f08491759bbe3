import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { handleScheduleEvent, type WorkerEvent, workerFunctionName } from "@tidetable/core";
import type { Context } from "aws-lambda";
import { lambdaWorld, registeredSources, type Seams, stageNames } from "./world.ts";

let lambdaClient: LambdaClient | undefined;

async function invokeWorker(event: WorkerEvent): Promise<void> {
  lambdaClient ??= new LambdaClient();
  const command = new InvokeCommand({
    FunctionName: workerFunctionName(stageNames(), event.source),
    InvocationType: "Event",
    Payload: JSON.stringify(event),
  });
  await lambdaClient.send(command);
}

/** Creates the schedule function's handler, which invokes the source's worker per resource. */
export function createScheduler(seams: Seams = {}) {
  return (event: unknown, context: Context) =>
    handleScheduleEvent(event, {
      ...lambdaWorld(context, seams),
      sources: registeredSources(seams),
      requestId: context.awsRequestId,
      invoke: seams.invoke ?? invokeWorker,
    });
}

export const handler = createScheduler();
