import { createHash, randomUUID } from "node:crypto";
import { openAwsJson, Refused } from "./aws-json.ts";

interface Message {
  id: string;
  body: string;
  sentAt: number;
  visibleAt: number;
  /** The handle of the last receive; older handles are no longer valid. */
  receipt: string;
}

export interface Sqs {
  endpoint: string;
  send(body: unknown): string;
  /** The bodies of all messages. */
  all(): string[];
  /** The bodies of the messages that a receive would find now. */
  visible(): string[];
}

/** One standard queue. A receive gets at most `batchSize` messages and hides them for a while. */
class Queue {
  readonly #name: string;
  readonly #batchSize: number;
  /** The number of hidden messages that are still to be delivered a second time. */
  #repeatsLeft: number;
  readonly #messages = new Map<string, Message>();

  constructor(name: string, batchSize: number, repeats: number) {
    this.#name = name;
    this.#batchSize = batchSize;
    this.#repeatsLeft = repeats;
  }

  get messages(): Message[] {
    return [...this.#messages.values()];
  }

  get visibleMessages(): Message[] {
    return this.messages.filter(({ visibleAt }) => visibleAt <= Date.now());
  }

  add(body: string): string {
    const id = randomUUID();
    this.#messages.set(id, { id, body, sentAt: Date.now(), visibleAt: 0, receipt: "" });
    return id;
  }

  /** The operations of SQS on this queue, which is found at `baseUrl`. */
  operations(baseUrl: () => string): Parameters<typeof openAwsJson>[0] {
    return {
      GetQueueUrl: ({ QueueName }) => this.#queueUrl(QueueName, baseUrl()),
      ReceiveMessage: ({ MaxNumberOfMessages = 1, VisibilityTimeout = 30 }) => ({
        Messages: this.#receive(MaxNumberOfMessages, VisibilityTimeout).map(describeMessage),
      }),
      ChangeMessageVisibilityBatch: ({ Entries }) => {
        for (const { ReceiptHandle, VisibilityTimeout } of Entries) {
          this.#hide(ReceiptHandle, VisibilityTimeout);
        }
        return { Successful: Entries.map(({ Id }: { Id: string }) => ({ Id })), Failed: [] };
      },
      DeleteMessage: ({ ReceiptHandle }) => {
        const message = this.#findByReceipt(ReceiptHandle);
        if (message) this.#messages.delete(message.id);
        return {};
      },
    };
  }

  #queueUrl(name: string, baseUrl: string) {
    if (name === this.#name) return { QueueUrl: `${baseUrl}/000000000000/${name}` };
    throw new Refused("com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.");
  }

  #receive(maxMessages: number, hiddenSeconds: number): Message[] {
    const visible = this.visibleMessages;
    const hidden = this.messages.filter((message) => !visible.includes(message));
    const repeated = hidden.slice(0, this.#repeatsLeft);
    this.#repeatsLeft -= repeated.length;
    const received = [...repeated, ...visible].slice(0, Math.min(maxMessages, this.#batchSize));
    for (const message of received) {
      message.visibleAt = Date.now() + hiddenSeconds * 1000;
      message.receipt = randomUUID();
    }
    return received;
  }

  #hide(receipt: string, seconds: number): void {
    const message = this.#findByReceipt(receipt);
    if (!message) throw new Refused("ReceiptHandleIsInvalid", "The receipt handle is not valid");
    message.visibleAt = Date.now() + seconds * 1000;
  }

  #findByReceipt(receipt: string): Message | undefined {
    return this.messages.find((message) => message.receipt === receipt);
  }
}

const describeMessage = ({ id, body, sentAt, receipt }: Message) => ({
  MessageId: id,
  Body: body,
  MD5OfBody: createHash("md5").update(body).digest("hex"),
  ReceiptHandle: receipt,
  Attributes: { SentTimestamp: String(sentAt) },
});

/**
 * Serves one queue in the protocol of SQS. A receive gets at most `batchSize` messages; `repeats` of the
 * hidden messages are delivered a second time, as SQS may do.
 */
export async function openSqs(
  queueName: string,
  { batchSize = 3, repeats = 0 }: { batchSize?: number; repeats?: number } = {},
): Promise<Sqs> {
  const queue = new Queue(queueName, batchSize, repeats);
  const endpoint: string = await openAwsJson(queue.operations(() => endpoint));
  const bodiesOf = (messages: Message[]) => messages.map(({ body }) => body);
  return {
    endpoint,
    send: (body) => queue.add(typeof body === "string" ? body : JSON.stringify(body)),
    all: () => bodiesOf(queue.messages),
    visible: () => bodiesOf(queue.visibleMessages),
  };
}
