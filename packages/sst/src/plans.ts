import { planSource } from "@tidetable/core";
import { validate } from "@tidetable/core/validate";
import { sources } from "@tidetable/sources";
import { findLongNames } from "./limits.ts";

export const names = { app: $app.name, stage: $app.stage };

/** A protected stage keeps its data; sst.config.ts lists these stages. */
export const isProtected = $app.removal === "retain";

const entries = Object.entries(sources);

refuseProblems(
  "the sources are not valid",
  entries.flatMap(([name, source]) =>
    validate(source, name).map(
      ({ path, message, hint }) => `${name}: ${path}: ${message}${hint ? `; ${hint}` : ""}`,
    ),
  ),
);

/** The plans of the registered sources, which are deployed. Every source is valid by then. */
export const plans = entries.map(([name, source]) => planSource(source, name));

refuseProblems(`names are too long for the stage ${names.stage}`, findLongNames(plans, names));

function refuseProblems(summary: string, problems: string[]) {
  if (problems.length > 0) throw new Error([`${summary}:`, ...problems].join("\n  "));
}
