import { openAwsJson, Refused } from "./aws-json.ts";

/** Secrets by their names; undefined for one that has no value yet, as after a deployment. */
export type Secrets = Record<string, string | undefined>;

/**
 * AWS Secrets Manager as far as tidetable uses it, in AWS's own words. `deny` names operations that
 * the caller may not do; `quote` refuses every value, and quotes it as a validation does.
 */
export async function openSecretsManager(
  secrets: Secrets,
  { deny = [], quote = false }: { deny?: string[]; quote?: boolean } = {},
): Promise<{ endpoint: string }> {
  const missing = (message: string) => new Refused("ResourceNotFoundException", message);
  const describeSecret = (operation: string, id: string) => {
    if (deny.includes(operation)) {
      const user = "User: arn:aws:iam::000000000000:user/me is not authorized to perform";
      throw new Refused("AccessDeniedException", `${user}: secretsmanager:${operation}`);
    }
    if (!Object.hasOwn(secrets, id)) {
      throw missing("Secrets Manager can't find the specified secret.");
    }
    return { ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${id}`, Name: id };
  };
  const endpoint = await openAwsJson({
    DescribeSecret: ({ SecretId }) => describeSecret("DescribeSecret", SecretId),
    GetSecretValue({ SecretId, VersionStage }) {
      const secret = describeSecret("GetSecretValue", SecretId);
      const SecretString = VersionStage === "AWSCURRENT" ? secrets[SecretId] : undefined;
      if (SecretString !== undefined) return { ...secret, SecretString, VersionId: "1" };
      throw missing(
        `Secrets Manager can't find the specified secret value for staging label: ${VersionStage}`,
      );
    },
    PutSecretValue({ SecretId, SecretString }) {
      const secret = describeSecret("PutSecretValue", SecretId);
      if (quote) throw new Refused("ValidationException", `Value '${SecretString}' failed`);
      secrets[SecretId] = SecretString;
      return { ...secret, VersionId: "2", VersionStages: ["AWSCURRENT"] };
    },
  });
  return { endpoint };
}
