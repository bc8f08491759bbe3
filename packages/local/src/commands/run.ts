import { ConfigError, type SourcePlan } from "@tidetable/core";
import { loadSources } from "../load-source.ts";
import type { Context, Options } from "../options.ts";
import { progress } from "../progress.ts";
import { colors, runTable } from "../render.ts";
import { runDocument } from "../report.ts";
import { openRunner } from "../runner.ts";

/** `run [SOURCE…]`: every resource to its end, and a report that says how each ended. */
export async function run({ args, options, io }: Context): Promise<number> {
  const runner = await openRunner(await loadSources(args, options, io), options, io);
  const log = progress(io, { json: options.json });
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
    );
    log.stop();
    io.stdout.write(
      options.json
        ? `${JSON.stringify(document)}\n`
        : `\n${runTable(document, colors(io.stdout, io.env))}`,
    );
    return document.status === "succeeded" ? 0 : 1;
  } finally {
    log.stop();
    await runner.close();
  }
}

/** One event of the schedule function per source: whole, or the resources that were asked for. */
export function events(plans: SourcePlan[], options: Pick<Options, "resource" | "limitPages">) {
  const asked = options.resource;
  const names = plans.flatMap(({ resources }) => resources.map(({ name }) => name));
  const unknown = asked?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw new ConfigError({
      code: "usage.resource",
      message: "no such resource",
      problems: unknown.map((name) => ({
        path: "--resource",
        message: `no source here has a resource "${name}"`,
        hint: `there are ${names.join(", ")}`,
      })),
    });
  }
  return plans.flatMap(({ name: source, resources }) => {
    const chosen = resources.map(({ name }) => name).filter((name) => asked?.includes(name));
    if (asked && chosen.length === 0) return [];
    return {
      source,
      ...(asked ? { resources: chosen } : {}),
      ...(options.limitPages === undefined ? {} : { limit_pages: options.limitPages }),
    };
  });
}
