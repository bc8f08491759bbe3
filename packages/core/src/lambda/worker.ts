import { randomUUID } from "node:crypto";
import { handleWorkerEvent } from "../entry/worker.ts";
import type { ResourceReport } from "../report/types.ts";
import {
  type HandlerOptions,
  type LambdaContext,
  lambdaWorld,
  localOrigin,
  stageSources,
} from "./world.ts";

/**
 * Creates the worker's handler, which does one slice of one resource's run.
 *
 * @example export const handler = worker({ sources });
 */
export function worker(options: HandlerOptions) {
  const sources = stageSources(options.sources);
  return (event: unknown, context: LambdaContext): Promise<ResourceReport> =>
    handleWorkerEvent(event, {
      sources,
      world: lambdaWorld(context, options),
      localOrigin,
      // The name leads to the logs. The UUID tells two deliveries of one request apart.
      invocation: `${context.logStreamName}/${context.awsRequestId}/${randomUUID().slice(0, 8)}`,
    });
}
