import { ConfigError } from "@tidetable/core/internal/config";
import type { Problem, SourcePlan } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import { deployedNames } from "../base/names.ts";
import type { Context, Options } from "../base/options.ts";
import { type ErrorDocument, runDocument } from "../output/documents.ts";
import { openProgressLog } from "../output/progress.ts";
import { createColors, runReportText } from "../output/render.ts";
import { openLocalRunner } from "../runner/local-runner.ts";
import type { RunEvent, Runner } from "../runner/runner.ts";
import { type LoadedSource, loadSources } from "../sources/load-source.ts";

/** `run [SOURCE…]`: runs every resource to the end and reports the results. */
export async function runSources({ args, options, io }: Context): Promise<number> {
  const loadedSources = await loadSources(args, options, io);
  const runner = await openRunner(loadedSources, options, io);
  const log = openProgressLog(io, { json: options.json });
  const sourceArgs = new Map(loadedSources.map(({ name }, i) => [name, args[i] ?? name]));
  try {
    const startedAt = Date.now();
    const events = buildEvents(runner.plans, options);
    const { runId, reports } = await runner.run(events, log, io.signal);
    const document = runDocument(
      {
        run_id: runId,
        started_at: new Date(startedAt).toISOString(),
        duration_ms: Date.now() - startedAt,
      },
      reports,
      options.stage === undefined ? undefined : notFollowedError(options.stage),
    );
    log.stop();
    io.stdout.write(
      options.json
        ? `${JSON.stringify(document)}\n`
        : `\n${runReportText(document, createColors(io.stdout, io.env), sourceArgs)}`,
    );
    return document.status === "succeeded" ? 0 : 1;
  } finally {
    log.stop();
    await runner.close();
  }
}

async function openRunner(
  loadedSources: LoadedSource[],
  options: Options,
  io: Io,
): Promise<Runner> {
  const { lambda, stage } = options;
  if (stage !== undefined) {
    const { openStageRunner } = await import("../runner/stage-runner.ts");
    return openStageRunner(loadedSources, deployedNames(options, stage), io);
  }
  if (lambda) {
    const { openLambdaRunner } = await import("../runner/lambda-runner.ts");
    return openLambdaRunner(loadedSources, options, io);
  }
  return openLocalRunner(loadedSources, options, io);
}

/** An interrupted command stops following the stage's run, which continues in AWS. */
const notFollowedError = (stage: string): ErrorDocument => ({
  code: "run.interrupted",
  message: "nobody follows the run any more; it goes on in AWS",
  hint: `npx --no tidetable status --stage ${stage} shows how it ends`,
});

/** Builds an event of the schedule function for each source with chosen resources. */
export function buildEvents(
  plans: SourcePlan[],
  options: Pick<Options, "resource" | "limitPages" | "fullRefresh" | "yes">,
): RunEvent[] {
  const { resource: chosenNames, limitPages, fullRefresh } = options;
  const chosen = plans.map(({ name, resources }) => ({
    source: name,
    resources: resources.filter(({ name }) => !chosenNames || chosenNames.includes(name)),
  }));
  const problems = [
    ...findUnknownResources(plans, chosenNames ?? []),
    ...findRefreshProblems(chosen, options),
  ];
  if (problems.length > 0) {
    throw new ConfigError({ code: "usage.run", message: "the command line is wrong", problems });
  }
  return chosen.flatMap(({ source, resources }) => {
    if (resources.length === 0) return [];
    return {
      source,
      ...(chosenNames ? { resources: resources.map(({ name }) => name) } : {}),
      ...(limitPages === undefined ? {} : { limit_pages: limitPages }),
      ...(fullRefresh ? { full_refresh: true as const, confirm: source } : {}),
    };
  });
}

function findUnknownResources(plans: SourcePlan[], chosenNames: string[]): Problem[] {
  const names = plans.flatMap(({ resources }) => resources.map(({ name }) => name));
  return chosenNames
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path: "--resource",
      message: `no source here has a resource "${name}"`,
      hint: `there are ${names.join(", ")}`,
    }));
}

function findRefreshProblems(
  chosen: Pick<SourcePlan, "resources">[],
  { fullRefresh, limitPages, yes }: Pick<Options, "limitPages" | "fullRefresh" | "yes">,
): Problem[] {
  if (!fullRefresh) return [];
  if (limitPages !== undefined) {
    const hint = "a sample sees too little to say which rows are gone";
    return [{ path: "--limit-pages", message: "it cannot go with --full-refresh", hint }];
  }
  if (yes) return [];
  return chosen
    .flatMap(({ resources }) => resources)
    .filter(({ disposition }) => disposition === "append")
    .map(({ source, name }) => ({
      path: "--full-refresh",
      message: `${source}.${name} appends: all of its records would be added once more`,
      hint: "--yes does it; --resource chooses other resources",
    }));
}
