import { planSource } from "../../packages/core/src/config/plan.ts";
import type { ResourcePlan } from "../../packages/core/src/config/plan-types.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import type { SourceConfig } from "../../packages/core/src/config/types.ts";

/** The plans of resources that merge by "id", in one source. Gives each by its name. */
export function planResources(
  resources: SourceConfig["resources"],
): (name: string) => ResourcePlan {
  const endpoint = { data_selector: "data", paginator: { type: "offset" as const, limit: 100 } };
  const source = rest_api_source({
    client: { base_url: "https://api.example.com" },
    resource_defaults: { primary_key: "id", write_disposition: "merge", endpoint },
    resources,
  });
  const plans = planSource(source, "blog").resources;
  return (name) => {
    const plan = plans.find((candidate) => candidate.name === name);
    if (!plan) throw new Error(`no resource ${name}`);
    return plan;
  };
}
