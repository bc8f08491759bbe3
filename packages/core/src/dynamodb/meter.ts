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
import type { SendBatch } from "../base/wire.ts";
import type { Dynamodb } from "../base/world.ts";
import type { Counts } from "../report/counts.ts";
import { batchSenderOf } from "./batch-commands.ts";
import { classifyError } from "./client.ts";

const readCommands = [GetItemCommand, BatchGetItemCommand, QueryCommand, ScanCommand];

const writeCommands = [PutItemCommand, UpdateItemCommand, DeleteItemCommand, BatchWriteItemCommand];

type Meter = Pick<Counts, "write_units" | "read_units" | "throttled">;

/** Wraps a client. The wrapper counts capacity units and throttles, as reported by DynamoDB. */
export function meterClient(dynamodb: Dynamodb, counts: Meter): Dynamodb {
  const send = async (command: Command, ...rest: unknown[]) => {
    const unit = unitOf(command);
    if (unit) command.input.ReturnConsumedCapacity = "TOTAL";
    return countAnswer((dynamodb.send as Send)(command, ...rest), unit, counts);
  };
  const sendUncounted = batchSenderOf(dynamodb);
  const sendBatch: SendBatch = (operation, ...rest) => {
    const unit = operation === "BatchGetItem" ? "read_units" : "write_units";
    return countAnswer(sendUncounted(operation, ...rest), unit, counts);
  };
  return { send: send as Dynamodb["send"], sendBatch };
}

type Unit = "read_units" | "write_units" | undefined;

async function countAnswer<A extends Answer>(
  request: Promise<A>,
  unit: Unit,
  counts: Meter,
): Promise<A> {
  const answer = await request.catch((error: unknown) => {
    if (classifyError(error) === "throttled") counts.throttled += 1;
    throw error;
  });
  if (Object.keys(answer.UnprocessedItems ?? {}).length > 0) counts.throttled += 1;
  if (unit) counts[unit] += sumCapacity(answer.ConsumedCapacity);
  return answer;
}

function unitOf(command: Command): Unit {
  const isInstance = (kind: new (input: never) => unknown) => command instanceof kind;
  if (readCommands.some(isInstance)) return "read_units";
  return writeCommands.some(isInstance) ? "write_units" : undefined;
}

// The SDK has a type of `send` for each command. The types below are shared by every command.
type Command = { input: Record<string, unknown> };

type Send = (command: Command, ...rest: unknown[]) => Promise<Answer>;

interface Answer {
  ConsumedCapacity?: Consumed | Consumed[];
  UnprocessedItems?: object;
}

type Consumed = Pick<ConsumedCapacity, "CapacityUnits">;

const sumCapacity = (consumed: Consumed | Consumed[] = []): number =>
  [consumed].flat().reduce((total, { CapacityUnits = 0 }) => total + CapacityUnits, 0);
