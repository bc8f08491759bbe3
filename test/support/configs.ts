import { rest_api_source, type SourceConfig, type SourceOptions } from "@tidetable/core";
import { findNotices, firstRequest } from "@tidetable/core/internal";
import { planSource, validate } from "@tidetable/core/plan";
import { expect } from "vitest";
import { refusalOf } from "./fuzz.ts";

/** Expects problems with a path and a message, or a plan. Returns the messages. */
export function expectProblemsOrPlan(config: unknown, options: unknown = {}): string {
  const source = rest_api_source(config as SourceConfig, options as SourceOptions);
  const problems = validate(source, "shop");
  for (const { path, message } of problems) {
    expect(path).toBeTypeOf("string");
    expect(message).toMatch(/\S/);
    expect(message).not.toMatch(/\[object/);
  }
  if (problems.length > 0) return JSON.stringify(problems);
  for (const resource of planSource(source, "shop").resources) {
    const refusal = refusalOf(() => expect(firstRequest(resource).url).toMatch(/^https?:/));
    if (refusal) expect(refusal.code).toMatch(/^extract\.(template|convert|url|window)$/);
  }
  return JSON.stringify(findNotices(source));
}
