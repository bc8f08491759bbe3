import type { ResourceReport } from "@tidetable/core/internal";
import { explainError } from "@tidetable/core/internal/config";
import { deployedNames } from "../base/names.ts";
import type { Context } from "../base/options.ts";
import { openProgressLog } from "../output/progress.ts";
import { type Colors, createColors, formatAmount, formatTable } from "../output/render.ts";
import { openLocalRunner } from "../runner/local-runner.ts";
import { loadSources } from "../sources/load-source.ts";
import { buildEvents } from "./run.ts";

/** The document of `check --json`. */
interface CheckDocument {
  status: "succeeded" | "failed";
  resources: {
    source: string;
    resource: string;
    status: "succeeded" | "failed";
    requests: number;
    /** The records on the first page. */
    records: number;
    /** The records on the first page with values that DynamoDB cannot hold. */
    quarantined: number;
    error: ResourceReport["error"];
  }[];
}

/** `check [SOURCE…]`: checks config, secrets and connection; reads one page per resource. */
export async function checkSources({ args, options, io }: Context): Promise<number> {
  const loadedSources = await loadSources(args, options, io);
  const runner =
    options.stage === undefined
      ? await openLocalRunner(loadedSources, options, io)
      : await (await import("../runner/stage-runner.ts")).openStageRunner(
          loadedSources,
          deployedNames(options, options.stage),
          io,
        );
  const log = openProgressLog(io, { json: options.json });
  try {
    const { reports } = await runner.check(buildEvents(runner.plans, options), log, io.signal);
    log.stop();
    const document = checkDocument(reports);
    io.stdout.write(
      options.json
        ? `${JSON.stringify(document)}\n`
        : checkText(document, createColors(io.stdout, io.env)),
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
  const hasFailed = resources.some(({ status }) => status === "failed");
  return { status: hasFailed ? "failed" : "succeeded", resources };
}

function checkText({ resources }: CheckDocument, color: Colors): string {
  return formatTable(
    ["source", "resource", "", ""],
    resources.map(({ source, resource, error, records, quarantined }) => [
      source,
      resource,
      error ? color.red("failed") : color.green("ok"),
      error
        ? explainError({ message: error.message, hint: error.hint ?? undefined })
        : `${formatAmount(records, "record")} on the first page${quarantined > 0 ? `, ${quarantined} of them cannot be stored` : ""}`,
    ]),
  );
}
