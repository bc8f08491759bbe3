import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  type Message,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { failureQueueName, type WorkerEvent } from "@tidetable/core";
import { deployedNames } from "./names.ts";
import { explained, notDeployed } from "./stage.ts";

/*
 * The queue to which Lambda sends events that a worker has failed on three times. SQS has no way to
 * look without taking: messages are received, which hides them for a while, and given back.
 */

/** A message of the failure queue; of a foreign one everything but `id` and `at` is null. */
export interface Failure {
  id: string;
  /** When Lambda gave up. */
  at: string;
  source: string | null;
  resource: string | null;
  run_id: string | null;
  attempts: number | null;
  condition: "RetriesExhausted" | "EventAgeExceeded" | null;
  /** What the last attempt threw; null when there was none, or it was cut off. */
  message: string | null;
}

export interface Queued {
  failure: Failure;
  /** What the worker was asked. Undefined of a foreign message. */
  event: WorkerEvent | undefined;
  remove(): Promise<void>;
}

/** Long enough to read a few thousand; what is not given back comes back by itself. */
const HIDDEN_SECONDS = 60;
/** Of one call. */
const AT_ONCE = 10;

/** Hands over everything that stands in the queue, each message once; what is left goes back. */
export async function withFailures<T>(
  stage: string,
  use: (queued: Queued[]) => Promise<T>,
): Promise<T> {
  const sqs = explained(new SQSClient(), stage);
  const QueueName = failureQueueName(deployedNames(stage));
  const found = new Map<string, Message>();
  try {
    const { QueueUrl } = await sqs
      .send(new GetQueueUrlCommand({ QueueName }))
      .catch((error: unknown) => {
        throw error instanceof QueueDoesNotExist
          ? notDeployed(stage, `there is no queue ${QueueName}`)
          : error;
      });
    try {
      await receiveAll(sqs, QueueUrl, found);
      const queued = [...found].map(([id, message]) => ({
        ...read(message),
        async remove() {
          const { ReceiptHandle } = message;
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
          found.delete(id);
        },
      }));
      return await use(queued);
    } finally {
      await giveBack(sqs, QueueUrl, [...found.values()]);
    }
  } finally {
    sqs.destroy();
  }
}

async function receiveAll(
  sqs: SQSClient,
  QueueUrl: string | undefined,
  found: Map<string, Message>,
): Promise<void> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: AT_ONCE,
    VisibilityTimeout: HIDDEN_SECONDS,
    WaitTimeSeconds: 1, // asks all of SQS's servers, where a short poll asks some
    MessageSystemAttributeNames: ["SentTimestamp"],
  });
  while (true) {
    const { Messages = [] } = await sqs.send(command);
    const before = found.size;
    for (const message of Messages) found.set(message.MessageId ?? "", message);
    // Nothing, or nothing that was not seen: the first ones are visible again.
    if (found.size === before) return;
  }
}

async function giveBack(
  sqs: SQSClient,
  QueueUrl: string | undefined,
  messages: Message[],
): Promise<void> {
  for (let first = 0; first < messages.length; first += AT_ONCE) {
    const Entries = messages.slice(first, first + AT_ONCE).map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  }
}

/** Pure: what a message says. Lambda's words, if they are: anybody may send to a queue. */
function read({ MessageId, Body, Attributes }: Message): Omit<Queued, "remove"> {
  const { timestamp, requestContext, requestPayload, responsePayload } = parsed(Body);
  const sent = Number(Attributes?.SentTimestamp ?? Number.NaN);
  const at = text(timestamp) ?? (Number.isNaN(sent) ? "" : new Date(sent).toISOString());
  const { source, resource, run_id } = Object(requestPayload);
  const { condition, approximateInvokeCount: attempts } = Object(requestContext);
  const isOurs = [source, resource, run_id, condition].every((one) => text(one) !== null);
  return {
    failure: {
      id: MessageId ?? "",
      at,
      source: isOurs ? source : null,
      resource: isOurs ? resource : null,
      run_id: isOurs ? run_id : null,
      attempts: isOurs && typeof attempts === "number" ? attempts : null,
      condition: isOurs ? condition : null,
      message: isOurs ? text(Object(responsePayload).errorMessage) : null,
    },
    event: isOurs ? (requestPayload as WorkerEvent) : undefined,
  };
}

const text = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? value : null;

function parsed(body = ""): Record<string, unknown> {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}
