import { readFileSync } from "node:fs";
import {
  fillStageValues,
  type Names,
  planSource,
  type SourcePlan,
  type Sources,
  type StageValues,
  stageValuesFor,
  validate,
} from "@tidetable/core/plan";
import { findLongNames } from "./limits.ts";

const stageFile = ({ stage }: Names) => `values.${stage}.json`;

/** The values that the sources ask for: those of every stage, and those of this one. */
export const readStageValues = (names: Names, given: StageValues = {}): StageValues => ({
  ...readJson("package.json").tidetable?.values,
  ...(readJson(stageFile(names)) as StageValues),
  ...given,
});

/** The plans of valid sources. The message of the error has every problem of every source. */
export function planSources(sources: Sources, names: Names, values: StageValues): SourcePlan[] {
  const howToSet = (value: string) => `write {"${value}": "…"} into ${stageFile(names)}`;
  const filled = Object.entries(sources).map(([name, source]) => {
    return { name, ...fillStageValues(source, stageValuesFor([values], name), howToSet) };
  });
  refuseProblems(
    "the sources are not valid",
    filled.flatMap(({ name, source, problems }) =>
      [...problems, ...validate(source, name)].map(
        ({ path, message, hint }) => `${name}: ${path}: ${message}${hint ? `; ${hint}` : ""}`,
      ),
    ),
  );
  const plans = filled.map(({ name, source }) => planSource(source, name));
  refuseProblems(`names are too long for the stage ${names.stage}`, findLongNames(plans, names));
  return plans;
}

function refuseProblems(summary: string, problems: string[]) {
  if (problems.length > 0) throw new Error([`${summary}:`, ...problems].join("\n  "));
}

function readJson(
  file: string,
): { tidetable?: { values?: StageValues } } & Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
