import { randomUUID } from "node:crypto";
import { work } from "@tidetable/core";
import type { Context } from "aws-lambda";
import { localOrigin, registered, type Seams, world } from "./world.ts";

/** The worker: one slice of one resource's run. */
export function worker(seams: Seams = {}) {
  return (event: unknown, context: Context) =>
    work(event, {
      sources: registered(seams),
      world: world(context, seams),
      localOrigin,
      // A name that leads to the logs, unique even when the platform delivers one request twice.
      invocation: `${context.logStreamName}/${context.awsRequestId}/${randomUUID().slice(0, 8)}`,
    });
}

export const handler = worker();
