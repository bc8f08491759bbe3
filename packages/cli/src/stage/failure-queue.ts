import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  type Message,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { WorkerEvent } from "@tidetable/core/internal";
import { failureQueueName, type Names } from "@tidetable/core/plan";
import { explainAwsErrors, notDeployedError } from "./aws-errors.ts";

/*
 * Lambda sends an event to the failure queue after a worker has failed three times. SQS can show
 * messages only by receiving, which hides messages for a while; afterwards messages are returned.
 */

/** A message of the failure queue. A message that is not Lambda's has only `id` and `at`. */
export interface Failure {
  id: string;
  /** When Lambda gave up. */
  at: string;
  source: string | null;
  resource: string | null;
  run_id: string | null;
  attempts: number | null;
  condition: "RetriesExhausted" | "EventAgeExceeded" | null;
  /** The error of the last attempt. Null without an attempt, or after a cut-off attempt. */
  message: string | null;
}

export interface QueuedFailure {
  failure: Failure;
  /**
   * The run that the worker failed on, and nothing else of its event: anybody who may send to the
   * queue could ask for a refresh of any source. Undefined when the message is not Lambda's.
   */
  event: Pick<WorkerEvent, "source" | "resource" | "run_id"> | undefined;
  /** The function that failed. A worker of one source fails on no event of another. */
  functionName: string | null;
  /** Deletes the message from the queue. */
  remove(): Promise<void>;
}

/** Enough for reading thousands of messages. Afterwards a message reappears by itself. */
const HIDDEN_SECONDS = 60;
/** SQS's limit for the messages of one call. */
const BATCH_SIZE = 10;

/** Calls `use` with the messages of the queue, and afterwards puts the remaining messages back. */
export async function withQueuedFailures<T>(
  names: Names,
  use: (queued: QueuedFailure[]) => Promise<T>,
): Promise<T> {
  const sqs = explainAwsErrors(new SQSClient(), names.stage);
  try {
    const queueUrl = await findQueueUrl(sqs, names);
    const received = new Map<string, Message>();
    try {
      await receiveAll(sqs, queueUrl, received);
      const queued = [...received].map(([id, message]) => ({
        ...parseMessage(message),
        async remove() {
          const { ReceiptHandle } = message;
          await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
          received.delete(id);
        },
      }));
      return await use(queued);
    } finally {
      await returnMessages(sqs, queueUrl, [...received.values()]);
    }
  } finally {
    sqs.destroy();
  }
}

async function findQueueUrl(sqs: SQSClient, names: Names): Promise<string | undefined> {
  const QueueName = failureQueueName(names);
  try {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
    return QueueUrl;
  } catch (error) {
    if (!(error instanceof QueueDoesNotExist)) throw error;
    throw notDeployedError(names.stage, `there is no queue ${QueueName}`);
  }
}

/** Adds to `received`, because after an error the received messages have to be returned. */
async function receiveAll(
  sqs: SQSClient,
  queueUrl: string | undefined,
  received: Map<string, Message>,
): Promise<void> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: BATCH_SIZE,
    VisibilityTimeout: HIDDEN_SECONDS,
    WaitTimeSeconds: 1, // long polling asks all of SQS's servers, short polling only some
    MessageSystemAttributeNames: ["SentTimestamp"],
  });
  while (true) {
    const { Messages = [] } = await sqs.send(command);
    const previousSize = received.size;
    for (const message of Messages) received.set(message.MessageId ?? "", message);
    // The queue has no further messages, or the first messages have become visible again.
    if (received.size === previousSize) return;
  }
}

/** Makes the messages visible again at once. */
async function returnMessages(
  sqs: SQSClient,
  queueUrl: string | undefined,
  messages: Message[],
): Promise<void> {
  for (let start = 0; start < messages.length; start += BATCH_SIZE) {
    const batch = messages.slice(start, start + BATCH_SIZE);
    const Entries = batch.map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

/** Reads Lambda's failure record. Anybody may send to a queue, so every member is checked. */
function parseMessage({ MessageId, Body, Attributes }: Message): Omit<QueuedFailure, "remove"> {
  const { timestamp, requestContext, requestPayload, responsePayload } = parseObject(Body);
  const sentAt = Number(Attributes?.SentTimestamp ?? Number.NaN);
  const at =
    stringOrNull(timestamp) ?? (Number.isNaN(sentAt) ? "" : new Date(sentAt).toISOString());
  const id = MessageId ?? "";
  const { source, resource, run_id } = Object(requestPayload);
  const { condition, approximateInvokeCount: attempts, functionArn } = Object(requestContext);
  const isFailureRecord = [source, resource, run_id, condition].every(
    (member) => stringOrNull(member) !== null,
  );
  if (!isFailureRecord) {
    const unknown = { source: null, resource: null, run_id: null, attempts: null };
    return {
      failure: { id, at, ...unknown, condition: null, message: null },
      event: undefined,
      functionName: null,
    };
  }
  return {
    failure: {
      id,
      at,
      source,
      resource,
      run_id,
      attempts: typeof attempts === "number" ? attempts : null,
      condition,
      message: stringOrNull(Object(responsePayload).errorMessage),
    },
    event: { source, resource, run_id },
    functionName: /:function:([^:]+)/.exec(stringOrNull(functionArn) ?? "")?.[1] ?? null,
  };
}

const stringOrNull = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? value : null;

function parseObject(body = ""): Record<string, unknown> {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}
