import { secretName } from "@tidetable/core/plan";
import { applyTransform, type Stage } from "./stage.ts";

/** Creates a secret per source without a value: no credential ever enters the deploy state. */
export function createSecrets({ plans, names, retain, args, optionsOf }: Stage) {
  return plans
    .filter(({ secrets }) => secrets.length > 0)
    .map((plan) => {
      const part = optionsOf(`secret-${plan.name}`);
      const secret: aws.secretsmanager.SecretArgs = {
        name: secretName(names, plan.name),
        description: `Credentials of ${plan.name}: a JSON object with ${plan.secrets.join(", ")}`,
        // A deleted secret blocks its name for this time, and a development stage needs it at once.
        recoveryWindowInDays: retain ? 30 : 0,
        ...(args.kmsKey ? { kmsKeyId: args.kmsKey } : {}),
      };
      return new aws.secretsmanager.Secret(
        part.name,
        applyTransform(args.transform?.secret, secret, part),
        { ...part.opts, retainOnDelete: retain },
      );
    });
}
