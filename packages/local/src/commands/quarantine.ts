import { randomBytes } from "node:crypto";
import {
  explain,
  listQuarantine,
  type QuarantineEntry,
  type Replayed,
  type ResourcePlan,
  type ResourceReport,
  replayQuarantine,
} from "@tidetable/core";
import { localOwner, releaseDeadLease } from "../leases.ts";
import type { Context } from "../options.ts";
import { progress } from "../progress.ts";
import { type Colors, colors, count, oneLine, several, table } from "../render.ts";
import { failureOf } from "../report.ts";
import { openSession, orNothing } from "../session.ts";
import type { Session } from "../session-type.ts";
import { loadResource, loadTarget } from "../target.ts";

type Entry = { source: string; resource: string } & QuarantineEntry;

/** `quarantine list`: what was set aside, the newest first. */
export async function list({ args: [target], options, io }: Context): Promise<number> {
  const resources = await loadTarget(target, options, io);
  const session = await openSession(options);
  try {
    const found = await Promise.all(resources.map((resource) => entriesOf(resource, session)));
    const entries = found.flat();
    io.stdout.write(options.json ? `${JSON.stringify({ entries })}\n` : entryTable(entries));
    return 0;
  } finally {
    await session.close();
  }
}

async function entriesOf({ source, name }: ResourcePlan, session: Session): Promise<Entry[]> {
  const place = { source, resource: name };
  const entries: Entry[] = [];
  const read = async () => {
    for await (const some of listQuarantine(session, place)) {
      entries.push(...some.map((entry) => ({ ...place, ...entry })));
    }
  };
  await orNothing(read());
  return entries.sort((a, b) => b.at.localeCompare(a.at));
}

/** Of a record, on a line. */
const SHOWN = 60;

function entryTable(entries: Entry[]): string {
  if (entries.length === 0) return "nothing is set aside\n";
  return table(
    ["source", "resource", "set aside", "reason", "at", "record"],
    entries.map(({ source, resource, at, message, path, record }) => [
      source,
      resource,
      at,
      oneLine(message),
      oneLine(path) || "-",
      record.length > SHOWN ? `${oneLine(record.slice(0, SHOWN))}…` : oneLine(record),
    ]),
  );
}

/** What `quarantine replay --json` prints. */
interface ReplayDocument {
  status: "succeeded" | "partial" | "failed";
  source: string;
  resource: string;
  replayed: number;
  kept: number;
  /** Why each of the kept ones was kept. */
  reasons: Replayed["kept"];
  error: ResourceReport["error"];
}

/** `quarantine replay`: what can be stored by now goes into the table. */
export async function replay({ args: [target = ""], options, io }: Context): Promise<number> {
  const resource = await loadResource(target, options, io, {
    code: "cli.quarantine",
    message: "records are replayed for one resource",
  });
  const session = await openSession(options);
  const log = progress(io, { json: options.json });
  const place = { source: resource.source, resource: resource.name };
  const world = { ...session, log, signal: io.signal, deadline: Number.POSITIVE_INFINITY };
  try {
    await orNothing(releaseDeadLease(session, place));
    const owner = `${localOwner}/${randomBytes(4).toString("hex")}`;
    const document = await replayQuarantine(resource, world, owner).then(
      (done) => replayDocument(place, done, null),
      (error) => replayDocument(place, { replayed: 0, kept: [] }, failureOf(error)),
    );
    log.stop();
    io.stdout.write(
      options.json
        ? `${JSON.stringify(document)}\n`
        : replayText(document, colors(io.stdout, io.env)),
    );
    return document.status === "succeeded" ? 0 : 1;
  } finally {
    await session.close();
  }
}

function replayDocument(
  place: { source: string; resource: string },
  { replayed, kept }: Replayed,
  error: ResourceReport["error"],
): ReplayDocument {
  const some = kept.length > 0 ? "partial" : "succeeded";
  return {
    status: error ? "failed" : some,
    ...place,
    replayed,
    kept: kept.length,
    reasons: kept,
    error,
  };
}

function replayText(document: ReplayDocument, color: Colors): string {
  const { source, resource, replayed, kept, reasons, error } = document;
  const name = `${source}.${resource}`;
  if (error) return `${color.red(name)}: ${explain(error)}\n`;
  const lines = [...countBy(reasons.map(({ message }) => oneLine(message)))].map(
    ([message, times]) => `  ${count(times)} kept: ${message}\n`,
  );
  return `${name}: ${several(replayed, "record")} replayed, ${count(kept)} kept\n${lines.join("")}`;
}

function countBy(values: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
