import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { WorkerEvent } from "@tidetable/core/internal";
import { isFailure } from "@tidetable/core/internal/config";
import { type Names, type ResourcePlan, workerFunctionName } from "@tidetable/core/plan";
import { deployedNames } from "../base/names.ts";
import type { Context } from "../base/options.ts";
import { formatAmount, formatCount, formatTable, safeLine } from "../output/render.ts";
import { loadResourcePlans } from "../sources/target.ts";
import { explainAwsErrors } from "../stage/aws-errors.ts";
import { type Failure, type QueuedFailure, withQueuedFailures } from "../stage/failure-queue.ts";

/** `failures list`: prints the events in the failure queue, the newest first. */
export async function listFailures({ options, io }: Context): Promise<number> {
  const { stage = "" } = options;
  const entries = await withQueuedFailures(deployedNames(options, stage), async (queued) =>
    queued.map(({ failure }) => failure).sort((left, right) => right.at.localeCompare(left.at)),
  );
  io.stdout.write(options.json ? `${JSON.stringify({ entries })}\n` : entriesText(entries, stage));
  return 0;
}

function entriesText(entries: Failure[], stage: string): string {
  if (entries.length === 0) return `the failure queue of stage ${stage} is empty\n`;
  return formatTable(
    ["source", "resource", "run", "given up", "attempts", "error"],
    entries.map((failure) => [
      failure.source ?? "-",
      failure.resource ?? "-",
      failure.run_id ?? "-",
      failure.at,
      failure.attempts ?? "-",
      safeLine(failure.message ?? missingMessageText(failure)),
    ]),
  );
}

const missingMessageText = ({ id, condition }: Failure): string =>
  condition === null
    ? `no record of a failed worker: message ${id}`
    : condition === "EventAgeExceeded"
      ? "it was too old before a worker could begin"
      : "-";

/** The document of `failures redrive --json`. */
interface RedriveDocument {
  status: "succeeded" | "partial" | "failed";
  redriven: number;
  kept: number;
  /** The reason for each event that was kept in the queue. */
  reasons: Reason[];
}

interface Reason {
  id: string;
  code: string;
  message: string;
}

/** `failures redrive`: sends events to their workers again and deletes them from the queue. */
export async function redriveFailures({ args: [target], options, io }: Context): Promise<number> {
  const { stage = "" } = options;
  const names = deployedNames(options, stage);
  const resources = await loadResourcePlans(target, options, io);
  const lambda = explainAwsErrors(new LambdaClient(), stage);
  const invokeWorker = async (event: WorkerEvent) => {
    const command = new InvokeCommand({
      FunctionName: workerFunctionName(names, event.source),
      InvocationType: "Event",
      Payload: JSON.stringify(event),
    });
    await lambda.send(command);
  };

  const reasons: Reason[] = [];
  let redriven = 0;
  try {
    await withQueuedFailures(names, async (queued) => {
      const selected = queued.filter(
        ({ event }) => target === undefined || isAboutAny(event, resources),
      );
      for (const queuedFailure of selected) {
        const reason = io.signal.aborted
          ? interruptedReason
          : await redriveFailure(queuedFailure, { resources, names, invokeWorker });
        if (reason) reasons.push({ id: queuedFailure.failure.id, ...reason });
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

const interruptedReason = {
  code: "failures.interrupted",
  message: "the command was interrupted before its turn",
};

const isAboutAny = (event: QueuedFailure["event"], resources: ResourcePlan[]): boolean =>
  resources.some(({ source, name }) => event?.source === source && event.resource === name);

/** Returns why an event was kept. Undefined when Lambda has it and the queue does not any more. */
async function redriveFailure(
  { event, functionName, failure, remove }: QueuedFailure,
  {
    resources,
    names,
    invokeWorker,
  }: {
    resources: ResourcePlan[];
    names: Names;
    invokeWorker: (event: WorkerEvent) => Promise<void>;
  },
): Promise<Omit<Reason, "id"> | undefined> {
  if (!event) {
    return { code: "failures.foreign", message: "no record of a failed worker" };
  }
  if (!isAboutAny(event, resources)) {
    const message = `there is no ${failure.source}.${failure.resource} any more`;
    return { code: "failures.unknown", message };
  }
  if (!isOfWorker(functionName, event.source, names)) {
    const message = `it names ${failure.source}, and did not fail in the worker of ${failure.source}`;
    return { code: "failures.foreign", message };
  }
  try {
    await invokeWorker(event);
  } catch (error) {
    return { code: "failures.refused", message: `Lambda did not take it: ${errorText(error)}` };
  }
  try {
    await remove();
  } catch (error) {
    const message = `it was sent again, but is still in the queue: ${errorText(error)}`;
    return { code: "failures.not_removed", message };
  }
  return undefined;
}

/** A record without the name of a source in its function's is of a stage with a single worker. */
function isOfWorker(functionName: string | null, source: string, names: Names): boolean {
  const worker = workerFunctionName(names, source);
  return functionName === worker || functionName === worker.slice(0, -source.length - 1);
}

function errorText(error: unknown): string {
  if (isFailure(error)) return error.message;
  return error instanceof Error ? error.name : "unknown error";
}

function redriveDocument(redriven: number, reasons: Reason[]): RedriveDocument {
  const incomplete = redriven > 0 ? "partial" : "failed";
  const status = reasons.length === 0 ? "succeeded" : incomplete;
  return { status, redriven, kept: reasons.length, reasons };
}

function redriveText({ redriven, kept, reasons }: RedriveDocument, stage: string): string {
  const lines = reasons.map(({ id, message }) => `  ${id} kept: ${safeLine(message)}\n`);
  const hint =
    redriven > 0 ? `; npx --no tidetable status --stage ${stage} shows how they end` : "";
  return `${formatAmount(redriven, "event")} sent again, ${formatCount(kept)} kept${hint}\n${lines.join("")}`;
}
