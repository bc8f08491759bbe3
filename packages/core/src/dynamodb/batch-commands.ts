import { BatchGetItemCommand, BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import type { SendBatch } from "../base/wire.ts";
import type { Dynamodb } from "../base/world.ts";
import { sdkToWire, wireToSdk } from "../values/wire-text.ts";

/** A client without the sender of texts, for `function.sdk_writes`. */
export const withoutSendBatch = (dynamodb: Dynamodb): Dynamodb => ({
  send: dynamodb.send.bind(dynamodb) as Dynamodb["send"],
});

/** Sends batches as text if the client can, and otherwise through the SDK's commands. */
export const batchSenderOf = (dynamodb: Dynamodb): SendBatch =>
  dynamodb.sendBatch ??
  (async (operation, text, abortSignal) => {
    const command =
      operation === "BatchGetItem"
        ? new BatchGetItemCommand(wireToSdk(text))
        : new BatchWriteItemCommand(wireToSdk(text));
    const send = dynamodb.send as (command: object, options: object) => Promise<object>;
    const answer = await send.call(dynamodb, command, abortSignal ? { abortSignal } : {});
    return JSON.parse(sdkToWire(answer));
  });
