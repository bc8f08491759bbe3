import { readFileSync } from "node:fs";
import { fillStageValues, planSource, stageValuesFor } from "@tidetable/core";
import { validate } from "@tidetable/core/validate";
import { sources } from "@tidetable/sources";
import { findLongNames } from "./limits.ts";

export const names = { app: $app.name, stage: $app.stage };

/** A protected stage keeps its data; sst.config.ts lists these stages. */
export const isProtected = $app.removal === "retain";

const stageFile = `values.${names.stage}.json`;

/** The values that the sources ask for: those of every stage, and those of this one. */
export const values = {
  ...readJson("package.json").tidetable?.values,
  ...readJson(stageFile),
};

const filledSources = Object.entries(sources).map(([name, source]) => {
  const howToSet = (value: string) => `write {"${value}": "…"} into ${stageFile}`;
  return { name, ...fillStageValues(source, stageValuesFor([values], name), howToSet) };
});
const entries = filledSources.map(({ name, source }) => [name, source] as const);

refuseProblems(
  "the sources are not valid",
  filledSources.flatMap(({ name, source, problems }) =>
    [...problems, ...validate(source, name)].map(
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

function readJson(file: string): { tidetable?: { values?: object } } & Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
