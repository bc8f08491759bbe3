import {
  type Names,
  planSource,
  type SourcePlan,
  type Sources,
  validate,
} from "@tidetable/core/plan";
import { findLongNames } from "./limits.ts";

/** The plans of valid sources. The message of the error has every problem of every source. */
export function planSources(sources: Sources, names: Names): SourcePlan[] {
  const entries = Object.entries(sources);
  refuseProblems(
    "the sources are not valid",
    entries.flatMap(([name, source]) =>
      validate(source, name).map(
        ({ path, message, hint }) => `${name}: ${path}: ${message}${hint ? `; ${hint}` : ""}`,
      ),
    ),
  );
  const plans = entries.map(([name, source]) => planSource(source, name));
  refuseProblems(`names are too long for the stage ${names.stage}`, findLongNames(plans, names));
  return plans;
}

function refuseProblems(summary: string, problems: string[]) {
  if (problems.length > 0) throw new Error([`${summary}:`, ...problems].join("\n  "));
}
