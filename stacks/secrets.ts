import { type SourcePlan, secretName } from "@tidetable/core";
import { names, production } from "./plans";

/** One secret per source, created without a value: no credential ever enters the deploy state. */
export function secrets(plans: SourcePlan[]) {
  return plans
    .filter((plan) => plan.secrets.length > 0)
    .map(
      (plan) =>
        new aws.secretsmanager.Secret(
          `secret-${plan.name}`,
          {
            name: secretName(names, plan.name),
            description: `Credentials of ${plan.name}: a JSON object with ${plan.secrets.join(", ")}`,
            // A deleted secret keeps its name for this long; a development stage wants it back at once.
            recoveryWindowInDays: production ? 30 : 0,
          },
          { retainOnDelete: production },
        ),
    );
}
