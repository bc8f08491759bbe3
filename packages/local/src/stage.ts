import {
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { ConfigError, dynamodbClient, realClock, stateTableName } from "@tidetable/core";
import { deployedNames } from "./names.ts";
import { oneLine } from "./render.ts";
import type { Session } from "./session-type.ts";

/*
 * A stage that `npx sst deploy` has made. The SDK finds credentials and region where it always
 * does, and nothing of this machine takes their place.
 */

/** The stage as a session. Looks at its state table first: all that can be in the way shows there. */
export async function openStage(stage: string): Promise<Session> {
  const names = deployedNames(stage);
  const dynamodb = explained(dynamodbClient({ maxAttempts: 3 }), stage);
  const TableName = stateTableName(names);
  try {
    await dynamodb.send(new DescribeTableCommand({ TableName }));
  } catch (error) {
    dynamodb.destroy();
    if (!(error instanceof ResourceNotFoundException)) throw error;
    throw notDeployed(stage, `there is no table ${TableName}`);
  }
  return {
    names,
    endpoint: undefined,
    dynamodb,
    clock: realClock,
    random: Math.random,
    close: async () => dynamodb.destroy(),
  };
}

/** Makes a client say in one line what is wrong with its credentials, its region or its rights. */
export function explained<
  C extends DynamoDBClient | LambdaClient | SecretsManagerClient | SQSClient,
>(client: C, stage: string): C {
  // All clients have the same stack; only the types of what goes through it differ.
  const { middlewareStack } = client as Pick<DynamoDBClient, "middlewareStack">;
  middlewareStack.add(
    (next) => (args) =>
      next(args).catch((error: unknown) => {
        throw accessProblem(error, stage) ?? error;
      }),
    { step: "initialize", priority: "high", name: "explained" },
  );
  return client;
}

interface Trouble {
  code: string;
  message: string;
  hint: string;
}

const expired: Trouble = {
  code: "aws.expired",
  message: "the AWS credentials have expired",
  hint: "sign in again, for instance: aws sso login",
};

/** By how AWS and the SDK name it. */
const troubles: ({ names: RegExp } & Trouble)[] = [
  { names: /^ExpiredToken/, ...expired },
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

function accessProblem(error: unknown, stage: string): ConfigError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message === "Region is missing") {
    const hint = `set AWS_REGION to the region of stage ${stage}, for instance AWS_REGION=eu-west-1`;
    return problem(stage, { code: "aws.region", message: "no AWS region is set", hint });
  }
  if (/AccessDenied/.test(error.name)) {
    // AWS's own words name the action and the one who may not: nothing says it better.
    const message = oneLine(error.message);
    const hint = "use credentials that may, or have it allowed";
    return problem(stage, { code: "aws.denied", message, hint });
  }
  const trouble = troubles.find(({ names }) => names.test(error.name));
  if (!trouble) return undefined;
  // An SSO session that is over is a provider error, too.
  const over = /expired|aws sso login/i.test(error.message);
  return problem(stage, over ? expired : trouble);
}

export const notDeployed = (stage: string, message: string): ConfigError =>
  problem(stage, {
    code: "stage.not_deployed",
    message,
    hint: `deploy it: npx sst deploy --stage ${stage}; or look at AWS_PROFILE and AWS_REGION`,
  });

function problem(stage: string, { code, message, hint }: Trouble): ConfigError {
  const problems = [{ path: `stage ${stage}`, message, hint }];
  return new ConfigError({ code, message, hint, problems });
}
