import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { schedule, type WorkerEvent, workerFunctionName } from "@tidetable/core";
import type { Context } from "aws-lambda";
import { names, registered, type Seams, world } from "./world.ts";

let lambda: LambdaClient | undefined;

async function invokeWorker(event: WorkerEvent): Promise<void> {
  lambda ??= new LambdaClient();
  const call = new InvokeCommand({
    FunctionName: workerFunctionName(names(), event.source),
    InvocationType: "Event",
    Payload: JSON.stringify(event),
  });
  await lambda.send(call);
}

/** Starts one asynchronous invocation of the source's worker per resource. */
export function scheduler(seams: Seams = {}) {
  return (event: unknown, context: Context) =>
    schedule(event, {
      ...world(context, seams),
      sources: registered(seams),
      requestId: context.awsRequestId,
      invoke: seams.invoke ?? invokeWorker,
    });
}

export const handler = scheduler();
