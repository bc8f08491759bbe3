import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { workerFunctionName } from "../base/names.ts";
import type { WorkerEvent } from "../entry/events.ts";
import { handleScheduleEvent } from "../entry/schedule.ts";
import {
  type HandlerOptions,
  type LambdaContext,
  lambdaWorld,
  stageNames,
  stageSources,
} from "./world.ts";

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

/**
 * Creates the schedule function's handler, which invokes the source's worker per resource.
 *
 * @example export const handler = scheduler({ sources });
 */
export function scheduler(options: HandlerOptions) {
  const sources = stageSources(options.sources);
  return (event: unknown, context: LambdaContext): ReturnType<typeof handleScheduleEvent> =>
    handleScheduleEvent(event, {
      ...lambdaWorld(context, options),
      sources,
      requestId: context.awsRequestId,
      invoke: options.invoke ?? invokeWorker,
    });
}
