import { type SourcePlan, secretName } from "@tidetable/core";
import { isProtected, names } from "./plans.ts";

/** Creates a secret per source without a value: no credential ever enters the deploy state. */
export function createSecrets(plans: SourcePlan[]) {
  for (const plan of plans.filter(({ secrets }) => secrets.length > 0)) {
    new aws.secretsmanager.Secret(
      `secret-${plan.name}`,
      {
        name: secretName(names, plan.name),
        description: `Credentials of ${plan.name}: a JSON object with ${plan.secrets.join(", ")}`,
        // A deleted secret blocks its name for this time, and a development stage needs it at once.
        recoveryWindowInDays: isProtected ? 30 : 0,
      },
      { retainOnDelete: isProtected },
    );
  }
}
