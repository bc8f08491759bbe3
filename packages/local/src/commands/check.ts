import { explain, type ResourceReport } from "@tidetable/core";
import { loadSources } from "../load-source.ts";
import type { Context } from "../options.ts";
import { progress } from "../progress.ts";
import { type Colors, colors, several, table } from "../render.ts";
import { openRunner } from "../runner.ts";
import { events } from "./run.ts";

/** What `check --json` prints. */
interface CheckDocument {
  status: "succeeded" | "failed";
  resources: {
    source: string;
    resource: string;
    status: "succeeded" | "failed";
    requests: number;
    /** On the first page. */
    records: number;
    /** Records of that page that could not be stored. */
    quarantined: number;
    error: ResourceReport["error"];
  }[];
}

/** `check [SOURCE…]`: config, secrets and connection; one page per resource, nothing written. */
export async function check({ args, options, io }: Context): Promise<number> {
  const loaded = await loadSources(args, options, io);
  const runner =
    options.stage === undefined
      ? await openRunner(loaded, options, io)
      : await (await import("../stage-runner.ts")).openStageRunner(loaded, options.stage, io);
  const log = progress(io, { json: options.json });
  try {
    const { reports } = await runner.check(events(runner.plans, options), log, io.signal);
    log.stop();
    const document = checkDocument(reports);
    io.stdout.write(
      options.json
        ? `${JSON.stringify(document)}\n`
        : checkTable(document, colors(io.stdout, io.env)),
    );
    return document.status === "succeeded" ? 0 : 1;
  } finally {
    log.stop();
    await runner.close();
  }
}

function checkDocument(reports: ResourceReport[]): CheckDocument {
  const resources = reports.map((report) => ({
    source: report.source,
    resource: report.resource,
    status: report.status === "done" ? ("succeeded" as const) : ("failed" as const),
    requests: report.requests,
    records: report.records,
    quarantined: report.quarantined,
    error: report.error,
  }));
  const failed = resources.some(({ status }) => status === "failed");
  return { status: failed ? "failed" : "succeeded", resources };
}

function checkTable({ resources }: CheckDocument, color: Colors): string {
  return table(
    ["source", "resource", "", ""],
    resources.map(({ source, resource, error, records, quarantined }) => [
      source,
      resource,
      error ? color.red("failed") : color.green("ok"),
      error
        ? explain({ message: error.message, hint: error.hint ?? undefined })
        : `${several(records, "record")} on the first page${quarantined > 0 ? `, ${quarantined} of them can not be stored` : ""}`,
    ]),
  );
}
