import { isPlainCredential } from "../config/plain-credentials.ts";
import type { ParamPlan, ResourcePlan } from "../config/plan-types.ts";
import { buildHttpRequest } from "./build-request.ts";
import { fillRequest, incrementalValues } from "./fill-request.ts";
import type { HttpRequest } from "./http/transport.ts";
import { createPaginator } from "./paging/paginators.ts";

/** The first request of a run without a cursor. It has placeholders instead of credentials. */
export function firstRequest({ request, paginator, incremental }: ResourcePlan): HttpRequest {
  // A start that is counted from now is shown as it was written.
  const shownStart = incremental?.relativeStart?.text;
  const start = shownStart ?? incremental?.initialValue ?? null;
  const shownPlan =
    incremental && shownStart ? { ...incremental, convert: undefined } : incremental;
  const values = incrementalValues(shownPlan, { start, last: null });
  const params = Object.entries(request.params).map(([name, value]): [string, ParamPlan] => [
    name,
    isPlainCredential(name, value) ? "***" : value,
  ]);
  const shown = { ...request, params: Object.fromEntries(params) };
  const filled = fillRequest(shown, (reference) => {
    if (reference.of === "secret") return "***";
    if (reference.of === "incremental") return values(reference);
    return `{resources.${reference.resource}.${reference.field.text}}`;
  });
  return buildHttpRequest(filled, createPaginator(paginator).first());
}
