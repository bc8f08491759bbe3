import {
  explainError,
  listQuarantine,
  type QuarantineEntry,
  type Replayed,
  type ResourceRef,
  type ResourceReport,
  refOf,
  replayQuarantine,
} from "@tidetable/core/internal";
import type { ResourcePlan } from "@tidetable/core/plan";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import { errorDocument } from "../output/documents.ts";
import { openProgressLog } from "../output/progress.ts";
import {
  type Colors,
  createColors,
  cutLine,
  formatAmount,
  formatCount,
  formatTable,
  safeLine,
} from "../output/render.ts";
import { newLeaseOwner, releaseDeadLease } from "../session/dead-leases.ts";
import { openSession, readIfPresent } from "../session/session.ts";
import { loadResourcePlan, loadResourcePlans } from "../sources/target.ts";

type EntryDocument = ResourceRef & QuarantineEntry;

/** `quarantine list`: prints the records that were set aside, the newest first. */
export async function listQuarantined({ args: [target], options, io }: Context): Promise<number> {
  const resources = await loadResourcePlans(target, options, io);
  const session = await openSession(options);
  try {
    const entryLists = await Promise.all(
      resources.map((resource) => readEntries(resource, session)),
    );
    const entries = entryLists.flat();
    io.stdout.write(options.json ? `${JSON.stringify({ entries })}\n` : entriesText(entries));
    return 0;
  } finally {
    await session.close();
  }
}

async function readEntries(resource: ResourcePlan, session: Session): Promise<EntryDocument[]> {
  const ref = refOf(resource);
  const entries: EntryDocument[] = [];
  const readAll = async () => {
    for await (const page of listQuarantine(session, ref)) {
      entries.push(...page.map((entry) => ({ ...ref, ...entry })));
    }
  };
  await readIfPresent(readAll());
  return entries.sort((left, right) => right.at.localeCompare(left.at));
}

/** The characters of a record that a line of the list has room for. */
const RECORD_WIDTH = 61;

function entriesText(entries: EntryDocument[]): string {
  if (entries.length === 0) return "nothing is set aside\n";
  return formatTable(
    ["source", "resource", "set aside", "reason", "at", "record"],
    entries.map(({ source, resource, at, message, path, record }) => [
      source,
      resource,
      at,
      safeLine(message),
      safeLine(path) || "-",
      cutLine(record, RECORD_WIDTH),
    ]),
  );
}

/** The document of `quarantine replay --json`. */
interface ReplayDocument {
  status: "succeeded" | "partial" | "failed";
  source: string;
  resource: string;
  replayed: number;
  kept: number;
  /** The reason for each record that stays in the quarantine. */
  reasons: Replayed["kept"];
  error: ResourceReport["error"];
}

/** `quarantine replay`: writes the records that can be stored by now into the table. */
export async function replayQuarantined({
  args: [target = ""],
  options,
  io,
}: Context): Promise<number> {
  const resource = await loadResourcePlan(target, options, io, {
    code: "cli.quarantine",
    message: "records are replayed for one resource",
  });
  const session = await openSession(options);
  const log = openProgressLog(io, { json: options.json });
  const ref = refOf(resource);
  const world = { ...session, log, signal: io.signal, deadline: Number.POSITIVE_INFINITY };
  try {
    await readIfPresent(releaseDeadLease(session, ref));
    const document = await replayQuarantine(resource, world, newLeaseOwner()).then(
      (replayed) => replayDocument(ref, replayed, null),
      (error) => replayDocument(ref, { replayed: 0, kept: [] }, errorDocument(error)),
    );
    log.stop();
    io.stdout.write(
      options.json
        ? `${JSON.stringify(document)}\n`
        : replayText(document, createColors(io.stdout, io.env)),
    );
    return document.status === "succeeded" ? 0 : 1;
  } finally {
    await session.close();
  }
}

function replayDocument(
  ref: ResourceRef,
  { replayed, kept }: Replayed,
  error: ResourceReport["error"],
): ReplayDocument {
  const statusWithoutError = kept.length > 0 ? "partial" : "succeeded";
  return {
    status: error ? "failed" : statusWithoutError,
    ...ref,
    replayed,
    kept: kept.length,
    reasons: kept,
    error,
  };
}

function replayText(document: ReplayDocument, color: Colors): string {
  const { source, resource, replayed, kept, reasons, error } = document;
  const name = `${source}.${resource}`;
  if (error) return `${color.red(name)}: ${explainError(error)}\n`;
  const messages = reasons.map(({ message }) => safeLine(message));
  const lines = [...countValues(messages)].map(
    ([message, count]) => `  ${formatCount(count)} kept: ${message}\n`,
  );
  return `${name}: ${formatAmount(replayed, "record")} replayed, ${formatCount(kept)} kept\n${lines.join("")}`;
}

function countValues(values: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
