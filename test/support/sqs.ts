import { createHash, randomUUID } from "node:crypto";
import { openAwsJson, Refused } from "./aws-json.ts";

interface Message {
  id: string;
  body: string;
  sent: number;
  visibleAt: number;
  /** Of the last receive: an older one counts no more. */
  receipt: string;
}

export interface Sqs {
  endpoint: string;
  send(body: unknown): string;
  /** The bodies of all messages, and of those that a receive would find now. */
  all(): string[];
  visible(): string[];
}

/**
 * SQS with one standard queue, as the real client speaks to it: a receive gets some of the messages
 * and hides them for a while. `repeats` of them are delivered a second time though hidden.
 */
export async function openSqs(
  queue: string,
  { some = 3, repeats = 0 }: { some?: number; repeats?: number } = {},
): Promise<Sqs> {
  const messages = new Map<string, Message>();
  const url = (base: string) => `${base}/000000000000/${queue}`;
  let left = repeats;
  let endpoint = "";

  const isVisible = ({ visibleAt }: Message) => visibleAt <= Date.now();
  const held = (receipt: string) => [...messages.values()].find((one) => one.receipt === receipt);

  function hide(receipt: string, seconds: number) {
    const message = held(receipt);
    if (!message) throw new Refused("ReceiptHandleIsInvalid", "The receipt handle is not valid");
    message.visibleAt = Date.now() + seconds * 1000;
  }

  endpoint = await openAwsJson({
    GetQueueUrl({ QueueName }) {
      if (QueueName === queue) return { QueueUrl: url(endpoint) };
      throw new Refused(
        "com.amazonaws.sqs#QueueDoesNotExist",
        "The specified queue does not exist.",
      );
    },
    ReceiveMessage({ MaxNumberOfMessages = 1, VisibilityTimeout = 30 }) {
      const most = Math.min(MaxNumberOfMessages, some);
      const again = [...messages.values()].filter((one) => !isVisible(one)).slice(0, left);
      left -= again.length;
      const found = [...again, ...[...messages.values()].filter(isVisible)].slice(0, most);
      for (const message of found) {
        message.visibleAt = Date.now() + VisibilityTimeout * 1000;
        message.receipt = randomUUID();
      }
      return {
        Messages: found.map(({ id, body, sent, receipt }) => ({
          MessageId: id,
          Body: body,
          MD5OfBody: createHash("md5").update(body).digest("hex"),
          ReceiptHandle: receipt,
          Attributes: { SentTimestamp: String(sent) },
        })),
      };
    },
    ChangeMessageVisibilityBatch({ Entries }) {
      for (const { ReceiptHandle, VisibilityTimeout } of Entries) {
        hide(ReceiptHandle, VisibilityTimeout);
      }
      return { Successful: Entries.map(({ Id }: { Id: string }) => ({ Id })), Failed: [] };
    },
    DeleteMessage({ ReceiptHandle }) {
      const message = held(ReceiptHandle);
      if (message) messages.delete(message.id);
      return {};
    },
  });

  const bodies = (some: Message[]) => some.map(({ body }) => body);
  return {
    endpoint,
    send(body) {
      const id = randomUUID();
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const sent = Date.now();
      messages.set(id, { id, body: text, sent, visibleAt: 0, receipt: "" });
      return id;
    },
    all: () => bodies([...messages.values()]),
    visible: () => bodies([...messages.values()].filter(isVisible)),
  };
}
