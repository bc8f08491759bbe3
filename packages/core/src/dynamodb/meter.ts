import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type ConsumedCapacity,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { World } from "../base/world.ts";
import type { Counts } from "../report/counts.ts";
import { outcome } from "./client.ts";

const reads = [GetItemCommand, BatchGetItemCommand, QueryCommand, ScanCommand];

const writes = [PutItemCommand, UpdateItemCommand, DeleteItemCommand, BatchWriteItemCommand];

/** The same client, which counts what DynamoDB says of each answer: its capacity units, and "too fast". */
export function metered(
  dynamodb: World["dynamodb"],
  counts: Pick<Counts, "write_units" | "read_units" | "throttled">,
): World["dynamodb"] {
  const send = async (command: Command, ...rest: unknown[]) => {
    const isOne = (kind: new (input: never) => unknown) => command instanceof kind;
    const unit = reads.some(isOne) ? "read_units" : writes.some(isOne) ? "write_units" : undefined;
    if (unit) command.input.ReturnConsumedCapacity = "TOTAL";
    const answer = await (dynamodb.send as Send)(command, ...rest).catch((error: unknown) => {
      if (outcome(error) === "throttled") counts.throttled += 1;
      throw error;
    });
    if (Object.keys(answer.UnprocessedItems ?? {}).length > 0) counts.throttled += 1;
    if (unit) counts[unit] += sum(answer.ConsumedCapacity);
    return answer;
  };
  return { send: send as World["dynamodb"]["send"] };
}

// What `send` has in common over all commands; its own type is a union per command.
type Command = { input: Record<string, unknown> };

type Send = (
  command: Command,
  ...rest: unknown[]
) => Promise<{
  ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[];
  UnprocessedItems?: object;
}>;

const sum = (consumed: ConsumedCapacity | ConsumedCapacity[] = []): number =>
  [consumed].flat().reduce((total, { CapacityUnits = 0 }) => total + CapacityUnits, 0);
