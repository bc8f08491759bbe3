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
import { classifyError } from "./client.ts";

const readCommands = [GetItemCommand, BatchGetItemCommand, QueryCommand, ScanCommand];

const writeCommands = [PutItemCommand, UpdateItemCommand, DeleteItemCommand, BatchWriteItemCommand];

/** Wraps a client. The wrapper counts capacity units and throttles, as reported by DynamoDB. */
export function meterClient(
  dynamodb: World["dynamodb"],
  counts: Pick<Counts, "write_units" | "read_units" | "throttled">,
): World["dynamodb"] {
  const send = async (command: Command, ...rest: unknown[]) => {
    const unit = unitOf(command);
    if (unit) command.input.ReturnConsumedCapacity = "TOTAL";
    const answer = await (dynamodb.send as Send)(command, ...rest).catch((error: unknown) => {
      if (classifyError(error) === "throttled") counts.throttled += 1;
      throw error;
    });
    if (Object.keys(answer.UnprocessedItems ?? {}).length > 0) counts.throttled += 1;
    if (unit) counts[unit] += sumCapacity(answer.ConsumedCapacity);
    return answer;
  };
  return { send: send as World["dynamodb"]["send"] };
}

function unitOf(command: Command): "read_units" | "write_units" | undefined {
  const isInstance = (kind: new (input: never) => unknown) => command instanceof kind;
  if (readCommands.some(isInstance)) return "read_units";
  return writeCommands.some(isInstance) ? "write_units" : undefined;
}

// The SDK has a type of `send` for each command. The types below are shared by every command.
type Command = { input: Record<string, unknown> };

type Send = (
  command: Command,
  ...rest: unknown[]
) => Promise<{
  ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[];
  UnprocessedItems?: object;
}>;

const sumCapacity = (consumed: ConsumedCapacity | ConsumedCapacity[] = []): number =>
  [consumed].flat().reduce((total, { CapacityUnits = 0 }) => total + CapacityUnits, 0);
