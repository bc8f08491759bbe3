import { randomUUID } from "node:crypto";
import { handleWorkerEvent } from "@tidetable/core";
import type { Context } from "aws-lambda";
import { lambdaWorld, localOrigin, registeredSources, type Seams } from "./world.ts";

/** Creates the worker's handler, which does one slice of one resource's run. */
export function createWorker(seams: Seams = {}) {
  return (event: unknown, context: Context) =>
    handleWorkerEvent(event, {
      sources: registeredSources(seams),
      world: lambdaWorld(context, seams),
      localOrigin,
      // The name leads to the logs. The UUID tells two deliveries of one request apart.
      invocation: `${context.logStreamName}/${context.awsRequestId}/${randomUUID().slice(0, 8)}`,
    });
}

export const handler = createWorker();
