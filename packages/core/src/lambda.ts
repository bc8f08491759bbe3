/*
 * The handlers of the two functions in AWS.
 */

export { scheduler } from "./lambda/scheduler.ts";
export { worker } from "./lambda/worker.ts";
export type { HandlerOptions } from "./lambda/world.ts";
