import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Problem } from "@tidetable/core/plan";
import { localNames } from "../base/names.ts";

/** The values of a stage, from each place where there are some. Later ones win. */
export interface ValuePlaces {
  places: unknown[];
  problems: Problem[];
  /** Tells where a missing value can be set. */
  howToSet: (name: string) => string;
}

/**
 * Finds the values of a stage: in `package.json` under `tidetable.values`, which are for every stage,
 * in `values.<stage>.json` beside it, and on the command line.
 */
export function readValuePlaces(
  folder: string,
  stage: string,
  settings: Record<string, string> = {},
): ValuePlaces {
  const problems: Problem[] = [];
  const stageFile = `values.${stage}.json`;
  const manifest = readJsonFile(folder, "package.json", problems) as
    | { tidetable?: { values?: unknown } }
    | undefined;
  const places = [manifest?.tidetable?.values, readJsonFile(folder, stageFile, problems), settings];
  for (const [i, values] of places.entries()) {
    const path = i === 0 ? "package.json: tidetable.values" : stageFile;
    if (values !== undefined) problems.push(...shapeProblems(path, values));
  }
  return {
    places,
    problems,
    howToSet: (name) =>
      stage === localNames.stage
        ? `write {"${name}": "…"} into ${stageFile}, or give it by --set ${name}=…`
        : `write {"${name}": "…"} into ${stageFile}`,
  };
}

function readJsonFile(folder: string, file: string, problems: Problem[]): unknown {
  let text: string;
  try {
    text = readFileSync(resolve(folder, file), "utf8");
  } catch {
    return undefined;
  }
  try {
    return Object(JSON.parse(text));
  } catch {
    problems.push({ path: file, message: "this is not valid JSON" });
    return undefined;
  }
}

/** A value is a string, a number or a boolean; a dict holds the values for one source. */
function shapeProblems(path: string, values: unknown, isInner = false): Problem[] {
  const hint = `write {"region": "eu"}, or {"crm": {"region": "eu"}} for the source crm`;
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    return [{ path, message: "values have to be an object", hint }];
  }
  return Object.entries(values).flatMap(([name, value]) => {
    if (/^(string|number|boolean)$/.test(typeof value)) return [];
    const valuePath = `${path}.${name}`;
    if (!isInner && typeof value === "object") return shapeProblems(valuePath, value, true);
    return [{ path: valuePath, message: "a value is a string, a number, true or false" }];
  });
}
