/** A checkpoint costs as much as a batch: pages that are durable soon after one wait for the next. */
export const CHECKPOINT_MS = 200;
