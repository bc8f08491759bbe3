import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { ConfigError } from "@tidetable/core/internal/config";
import { safeLine } from "../output/render.ts";

/**
 * Makes a client explain errors of credentials, region and permissions in a line, as problems for
 * the user. Further errors pass through.
 */
export function explainAwsErrors<
  C extends DynamoDBClient | LambdaClient | SecretsManagerClient | SQSClient,
>(client: C, stage: string): C {
  // The clients' stacks are the same and differ only in types.
  const { middlewareStack } = client as Pick<DynamoDBClient, "middlewareStack">;
  middlewareStack.add(
    (next) => (args) =>
      next(args).catch((error: unknown) => {
        throw explainAccessError(error, stage) ?? error;
      }),
    { step: "initialize", priority: "high", name: "explainAwsErrors" },
  );
  return client;
}

interface Explanation {
  code: string;
  message: string;
  hint: string;
}

const expiredCredentials: Explanation = {
  code: "aws.expired",
  message: "the AWS credentials have expired",
  hint: "sign in again, for instance: aws sso login",
};

/** Explanations by the error names of AWS and of the SDK. */
const explanations: ({ names: RegExp } & Explanation)[] = [
  { names: /^ExpiredToken/, ...expiredCredentials },
  {
    names: /^(Credentials|Token)ProviderError$/,
    code: "aws.credentials",
    message: "there are no AWS credentials",
    hint: "sign in (aws sso login) and name the profile (AWS_PROFILE), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  },
  {
    names: /^(UnrecognizedClient|InvalidClientTokenId|Invalid.*Signature|SignatureDoesNotMatch)/,
    code: "aws.credentials",
    message: "AWS does not know these credentials",
    hint: "look at AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_REGION, or sign in again: aws sso login",
  },
];

function explainAccessError(error: unknown, stage: string): ConfigError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message === "Region is missing") {
    const hint = `set AWS_REGION to the region of stage ${stage}, for instance AWS_REGION=eu-west-1`;
    return stageError(stage, { code: "aws.region", message: "no AWS region is set", hint });
  }
  if (/AccessDenied/.test(error.name)) {
    // AWS's own message is kept, because the action and the identity are named.
    const message = safeLine(error.message);
    const hint = "use credentials that are allowed to do this, or have it allowed";
    return stageError(stage, { code: "aws.denied", message, hint });
  }
  const explanation = explanations.find(({ names }) => names.test(error.name));
  if (!explanation) return undefined;
  // The SDK reports an expired SSO session as a provider error; only the message tells the difference.
  const isExpired = /expired|aws sso login/i.test(error.message);
  return stageError(stage, isExpired ? expiredCredentials : explanation);
}

export const notDeployedError = (stage: string, message: string): ConfigError =>
  stageError(stage, {
    code: "stage.not_deployed",
    message,
    hint: `deploy it: npx sst deploy --stage ${stage}; or look at AWS_PROFILE and AWS_REGION`,
  });

function stageError(stage: string, { code, message, hint }: Explanation): ConfigError {
  const problems = [{ path: `stage ${stage}`, message, hint }];
  return new ConfigError({ code, message, hint, problems });
}
