import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  isFailure,
  type ResourcePlan,
  type WorkerEvent,
  workerFunctionName,
} from "@tidetable/core";
import { type Failure, type Queued, withFailures } from "../failure-queue.ts";
import { deployedNames } from "../names.ts";
import type { Context } from "../options.ts";
import { count, oneLine, several, table } from "../render.ts";
import { explained } from "../stage.ts";
import { loadTarget } from "../target.ts";

/** `failures list`: what stands in the failure queue, the newest first. */
export async function list({ options, io }: Context): Promise<number> {
  const { stage = "" } = options;
  const entries = await withFailures(stage, async (queued) =>
    queued.map(({ failure }) => failure).sort((a, b) => b.at.localeCompare(a.at)),
  );
  io.stdout.write(options.json ? `${JSON.stringify({ entries })}\n` : entryTable(entries, stage));
  return 0;
}

function entryTable(entries: Failure[], stage: string): string {
  if (entries.length === 0) return `the failure queue of stage ${stage} is empty\n`;
  return table(
    ["source", "resource", "run", "given up", "attempts", "error"],
    entries.map((one) => [
      one.source ?? "-",
      one.resource ?? "-",
      one.run_id ?? "-",
      one.at,
      one.attempts ?? "-",
      oneLine(one.message ?? whyNoMessage(one)),
    ]),
  );
}

const whyNoMessage = ({ id, condition }: Failure): string =>
  condition === null
    ? `no record of a failed worker: message ${id}`
    : condition === "EventAgeExceeded"
      ? "it was too old before a worker could begin"
      : "-";

/** What `failures redrive --json` prints. */
interface RedriveDocument {
  status: "succeeded" | "partial" | "failed";
  redriven: number;
  kept: number;
  /** Why each of the kept ones was kept. */
  reasons: Reason[];
}

interface Reason {
  id: string;
  code: string;
  message: string;
}

/** `failures redrive`: each event once more to its worker, and then out of the queue. */
export async function redrive({ args: [target], options, io }: Context): Promise<number> {
  const { stage = "" } = options;
  const resources = await loadTarget(target, options, io);
  const lambda = explained(new LambdaClient(), stage);
  const invoke = async (event: WorkerEvent) => {
    const command = new InvokeCommand({
      FunctionName: workerFunctionName(deployedNames(stage), event.source),
      InvocationType: "Event",
      Payload: JSON.stringify(event),
    });
    await lambda.send(command);
  };

  const reasons: Reason[] = [];
  let redriven = 0;
  try {
    await withFailures(stage, async (queued) => {
      const wanted = queued.filter(
        ({ event }) => target === undefined || isOneOf(event, resources),
      );
      for (const one of wanted) {
        const reason = io.signal.aborted ? stopped : await sendAgain(one, resources, invoke);
        if (reason) reasons.push({ id: one.failure.id, ...reason });
        else redriven += 1;
      }
    });
  } finally {
    lambda.destroy();
  }
  const document = redriveDocument(redriven, reasons);
  io.stdout.write(options.json ? `${JSON.stringify(document)}\n` : redriveText(document, stage));
  return document.status === "succeeded" ? 0 : 1;
}

const stopped = { code: "failures.interrupted", message: "its turn did not come" };

const isOneOf = (event: WorkerEvent | undefined, resources: ResourcePlan[]): boolean =>
  resources.some(({ source, name }) => event?.source === source && event.resource === name);

/** Undefined when Lambda has the event and the queue has it no more. */
async function sendAgain(
  { event, failure, remove }: Queued,
  resources: ResourcePlan[],
  invoke: (event: WorkerEvent) => Promise<void>,
): Promise<Omit<Reason, "id"> | undefined> {
  if (!event) {
    return { code: "failures.foreign", message: "no record of a failed worker" };
  }
  if (!isOneOf(event, resources)) {
    const message = `there is no ${failure.source}.${failure.resource} any more`;
    return { code: "failures.unknown", message };
  }
  try {
    await invoke(event);
  } catch (error) {
    return { code: "failures.refused", message: `Lambda did not take it: ${reasonOf(error)}` };
  }
  try {
    await remove();
  } catch (error) {
    const message = `it was sent again, but is still in the queue: ${reasonOf(error)}`;
    return { code: "failures.not_removed", message };
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  if (isFailure(error)) return error.message;
  return error instanceof Error ? error.name : "unknown error";
}

function redriveDocument(redriven: number, reasons: Reason[]): RedriveDocument {
  const some = redriven > 0 ? "partial" : "failed";
  const status = reasons.length === 0 ? "succeeded" : some;
  return { status, redriven, kept: reasons.length, reasons };
}

function redriveText({ redriven, kept, reasons }: RedriveDocument, stage: string): string {
  const lines = reasons.map(({ id, message }) => `  ${id} kept: ${oneLine(message)}\n`);
  const next = redriven > 0 ? `; npx tidetable status --stage ${stage} shows how they end` : "";
  return `${several(redriven, "event")} sent again, ${count(kept)} kept${next}\n${lines.join("")}`;
}
