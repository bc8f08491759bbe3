import type { Source } from "@tidetable/core";
import { findStageValues } from "@tidetable/core/internal/config";
import { fillStageValues, type Problem, validate } from "@tidetable/core/plan";

/** The source with a sample for each value, for looking at the rest of it. */
export function withSampleValues(source: Source): Source {
  const samples = findStageValues(source.config).map(({ name, path }): [string, string] => {
    return [name, /(^|[._])(base_)?url$/.test(path) ? "https://values.example.com" : name];
  });
  return fillStageValues(source, Object.fromEntries(samples), () => "").source;
}

/**
 * The problems of a config whose values are not set yet, as in a file that is copied or imported. A
 * place that consists of a value alone can be judged only when there is one.
 */
export function validateOpen(source: Source, name: string): Problem[] {
  const openPaths = new Set(findStageValues(source.config).map(({ path }) => path));
  return validate(withSampleValues(source), name).filter(({ path }) => !openPaths.has(path));
}
