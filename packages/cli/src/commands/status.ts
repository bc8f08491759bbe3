import { type RunRecord, readRuns, readState, refOf } from "@tidetable/core/internal";
import { type Names, type ResourcePlan, tableName, version } from "@tidetable/core/plan";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import {
  type Colors,
  createColors,
  formatDollars,
  formatDuration,
  formatTable,
  schemaChangeLines,
} from "../output/render.ts";
import { openSession, readIfPresent } from "../session/session.ts";
import { loadResourcePlans, parseTarget } from "../sources/target.ts";
import {
  type CoverageDocument,
  coverageDocument,
  coverageNotes,
  readNextStart,
} from "./coverage-notes.ts";

/** The number of a resource's runs in the document. */
const DOCUMENT_RUNS = 10;

/** A resource in the document of `status --json`. */
interface StatusDocument extends CoverageDocument {
  source: string;
  resource: string;
  table: string;
  /** The status of the current run, or of the last one. */
  status: "new" | "running" | "waiting" | "done" | "failed";
  not_before: string | null;
  /** The end of the last run that succeeded. */
  last_success_at: string | null;
  age_ms: number | null;
  /** The newest run comes first. */
  runs: RunRecord[];
}

/** `status`: prints how fresh each table is, and how its last runs went. */
export async function printStatus({ args: [target], options, io }: Context): Promise<number> {
  const resources = await loadResourcePlans(target, options, io);
  const session = await openSession(options);
  try {
    const documents = await Promise.all(
      resources.map((resource) => statusDocument(resource, session)),
    );
    const sourceArg = target && parseTarget(target).source;
    const versions = options.stage === undefined ? undefined : await readVersions(session.names);
    io.stdout.write(
      options.json
        ? `${JSON.stringify({ resources: documents, ...versions })}\n`
        : statusText(documents, createColors(io.stdout, io.env), sourceArg),
    );
    if (versions && !options.json) io.stdout.write(versionLine(versions, session.names));
    return 0;
  } finally {
    await session.close();
  }
}

interface Versions {
  /** The version that the stage runs; null where it does not tell. */
  deployed_version: string | null;
  /** The version of this command. */
  version: string;
}

async function readVersions(names: Names): Promise<Versions> {
  const { readDeployedVersion } = await import("../stage/deployed-version.ts");
  return { deployed_version: await readDeployedVersion(names), version };
}

function versionLine({ deployed_version, version }: Versions, { stage }: Names): string {
  const deployed = deployed_version ?? "a version that it does not tell";
  const hint =
    deployed_version === null || deployed_version === version
      ? ""
      : `; install ${deployed_version} here, or deploy: npx sst deploy --stage ${stage}`;
  return `\nstage ${stage} runs tidetable ${deployed}, and this command is ${version}${hint}\n`;
}

async function statusDocument(resource: ResourcePlan, session: Session): Promise<StatusDocument> {
  const ref = refOf(resource);
  const state = await readIfPresent(readState(session, ref));
  const runs = (await readIfPresent(readRuns(session, ref))) ?? [];
  const next = await readNextStart(resource, state, session);
  const lastSuccess = runs.find((run) => run.status === "done");
  return {
    ...ref,
    table: tableName(session.names, resource),
    status: state?.status ?? "new",
    not_before: state?.not_before ?? null,
    last_success_at: lastSuccess?.ended_at ?? null,
    age_ms: lastSuccess ? session.clock.now() - Date.parse(lastSuccess.ended_at) : null,
    ...coverageDocument(resource, { state, next }),
    runs: runs.slice(0, DOCUMENT_RUNS),
  };
}

function statusText(
  documents: StatusDocument[],
  color: Colors,
  sourceArg: string | undefined,
): string {
  const heads = [
    "source",
    "resource",
    "status",
    "fresh",
    "last run",
    "records",
    "time",
    "cost",
    "schema",
  ];
  const rows = documents.map((document) => statusRow(document, color));
  const changeLines = documents.flatMap(({ source, resource, runs: [lastRun] }) =>
    schemaChangeLines({ source, resource, schema: lastRun?.schema }, sourceArg),
  );
  const notes = documents.flatMap(coverageNotes).map((note) => `${note}\n`);
  const sections = [[formatTable(heads, rows)], changeLines, notes];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join(""))
    .join("\n");
}

function statusRow(
  { runs: [lastRun], ...document }: StatusDocument,
  color: Colors,
): (string | number)[] {
  const { source, resource, status, not_before, age_ms } = document;
  return [
    source,
    resource,
    not_before ? `${status} until ${not_before}` : status,
    age_ms === null ? "never" : `${formatDuration(age_ms)} ago`,
    runStatusText(lastRun, color),
    lastRun?.records ?? "-",
    lastRun ? formatDuration(lastRun.duration_ms) : "-",
    lastRun ? formatDollars(lastRun.cost_usd) : "-",
    schemaVersionText(lastRun?.schema),
  ];
}

function runStatusText(run: RunRecord | undefined, color: Colors): string {
  const paint = { done: color.green, failed: color.red, skipped: color.yellow };
  if (!run || !(run.status in paint)) return run?.status ?? "-";
  return paint[run.status as keyof typeof paint](run.status);
}

function schemaVersionText(schema: RunRecord["schema"] | undefined): string {
  if (!schema) return "-";
  return schema.changed > 0
    ? `v${schema.version} (${schema.changed} changed)`
    : `v${schema.version}`;
}
