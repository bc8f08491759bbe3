import { openAwsJson, Refused } from "./aws-json.ts";

/** Secrets by their names; undefined for a secret without a value, as after a deployment. */
export type Secrets = Record<string, string | undefined>;

/**
 * Serves the operations of AWS Secrets Manager that tidetable uses, with AWS's messages. `deny` names
 * operations that the caller may not use; `quote` refuses every value with a message that quotes it.
 */
export async function openSecretsManager(
  secrets: Secrets,
  { deny = [], quote = false }: { deny?: string[]; quote?: boolean } = {},
): Promise<{ endpoint: string }> {
  const notFoundError = (message: string) => new Refused("ResourceNotFoundException", message);
  const describeSecret = (operation: string, id: string) => {
    if (deny.includes(operation)) {
      const user = "User: arn:aws:iam::000000000000:user/me is not authorized to perform";
      throw new Refused("AccessDeniedException", `${user}: secretsmanager:${operation}`);
    }
    if (!Object.hasOwn(secrets, id)) {
      throw notFoundError("Secrets Manager can't find the specified secret.");
    }
    return { ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${id}`, Name: id };
  };
  const endpoint = await openAwsJson({
    DescribeSecret: ({ SecretId }) => describeSecret("DescribeSecret", SecretId),
    GetSecretValue({ SecretId, VersionStage }) {
      const secret = describeSecret("GetSecretValue", SecretId);
      const SecretString = VersionStage === "AWSCURRENT" ? secrets[SecretId] : undefined;
      if (SecretString !== undefined) return { ...secret, SecretString, VersionId: "1" };
      throw notFoundError(
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
