import { ConfigError, type Problem, type SourcePlan } from "@tidetable/core";
import type { Io } from "../io.ts";
import { type Loaded, loadSources } from "../load-source.ts";
import type { Context, Options } from "../options.ts";
import { progress } from "../progress.ts";
import { colors, runTable } from "../render.ts";
import { runDocument } from "../report.ts";
import { openRunner, type Runner } from "../runner.ts";

/** `run [SOURCE…]`: every resource to its end, and a report that says how each ended. */
export async function run({ args, options, io }: Context): Promise<number> {
  const loaded = await loadSources(args, options, io);
  const runner = await runnerFor(loaded, options, io);
  const log = progress(io, { json: options.json });
  const called = new Map(loaded.map(({ name }, i) => [name, args[i] ?? name]));
  try {
    const began = Date.now();
    const { runId, reports } = await runner.run(events(runner.plans, options), log, io.signal);
    const document = runDocument(
      {
        run_id: runId,
        started_at: new Date(began).toISOString(),
        duration_ms: Date.now() - began,
      },
      reports,
      options.stage === undefined ? undefined : goesOn(options.stage),
    );
    log.stop();
    io.stdout.write(
      options.json
        ? `${JSON.stringify(document)}\n`
        : `\n${runTable(document, colors(io.stdout, io.env), called)}`,
    );
    return document.status === "succeeded" ? 0 : 1;
  } finally {
    log.stop();
    await runner.close();
  }
}

async function runnerFor(loaded: Loaded[], options: Options, io: Io): Promise<Runner> {
  const { lambda, stage } = options;
  if (stage !== undefined) {
    return (await import("../stage-runner.ts")).openStageRunner(loaded, stage, io);
  }
  if (lambda) return (await import("../lambda-runner.ts")).openLambdaRunner(loaded, options, io);
  return openRunner(loaded, options, io);
}

/** Who stops following a stage's run does not stop it. */
const goesOn = (stage: string) => ({
  code: "run.interrupted",
  message: "nobody follows the run any more; it goes on in AWS",
  hint: `npx tidetable status --stage ${stage} shows how it ends`,
});

/** One event of the schedule function per source: whole, or the resources that were asked for. */
export function events(
  plans: SourcePlan[],
  options: Pick<Options, "resource" | "limitPages" | "fullRefresh" | "yes">,
) {
  const { resource: asked, limitPages, fullRefresh } = options;
  const chosen = plans.map(({ name, resources }) => ({
    source: name,
    resources: resources.filter((one) => !asked || asked.includes(one.name)),
  }));
  const problems = [...unknownResources(plans, asked ?? []), ...refreshProblems(chosen, options)];
  if (problems.length > 0) {
    throw new ConfigError({ code: "usage.run", message: "the command line is wrong", problems });
  }
  return chosen.flatMap(({ source, resources }) => {
    if (resources.length === 0) return [];
    return {
      source,
      ...(asked ? { resources: resources.map(({ name }) => name) } : {}),
      ...(limitPages === undefined ? {} : { limit_pages: limitPages }),
      ...(fullRefresh ? { full_refresh: true, confirm: source } : {}),
    };
  });
}

function unknownResources(plans: SourcePlan[], asked: string[]): Problem[] {
  const names = plans.flatMap(({ resources }) => resources.map(({ name }) => name));
  return asked
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path: "--resource",
      message: `no source here has a resource "${name}"`,
      hint: `there are ${names.join(", ")}`,
    }));
}

function refreshProblems(
  chosen: Pick<SourcePlan, "resources">[],
  { fullRefresh, limitPages, yes }: Pick<Options, "limitPages" | "fullRefresh" | "yes">,
): Problem[] {
  if (!fullRefresh) return [];
  if (limitPages !== undefined) {
    const hint = "a sample sees too little to say which rows are gone";
    return [{ path: "--limit-pages", message: "it can not go with --full-refresh", hint }];
  }
  if (yes) return [];
  return chosen
    .flatMap(({ resources }) => resources)
    .filter(({ disposition }) => disposition === "append")
    .map(({ source, name }) => ({
      path: "--full-refresh",
      message: `${source}.${name} appends: all of its records would be added once more`,
      hint: "--yes does it; --resource leaves others out",
    }));
}
