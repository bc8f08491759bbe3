import { readFile, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ConfigError, explain } from "@tidetable/core";
import { openLoopback } from "./loopback.ts";

/** The members of one source's secret. */
export type SecretMembers = Record<string, string>;

interface Answer {
  status: number;
  body: unknown;
}

/**
 * What a worker needs of AWS Secrets Manager: GetSecretValue. Each call looks the values up anew,
 * so that a file that was changed is a secret that was rotated.
 */
export async function openSecretsEndpoint(
  lookup: (secretId: string) => Promise<SecretMembers | undefined>,
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const { url, close } = await openLoopback(async (request, response) => {
    const { status, body } = await answer(request, lookup).catch(failed);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(body));
  });
  return { endpoint: url, close };
}

async function answer(
  request: IncomingMessage,
  lookup: (secretId: string) => Promise<SecretMembers | undefined>,
): Promise<Answer> {
  const body = await text(request);
  const target = request.headers["x-amz-target"];
  if (target !== "secretsmanager.GetSecretValue") {
    return refusal("UnknownOperationException", "only GetSecretValue is served here");
  }
  const { SecretId, VersionStage } = JSON.parse(body);
  // A deployed worker's policy may allow this stage alone.
  if (VersionStage !== "AWSCURRENT") {
    return refusal("InvalidParameterException", "VersionStage has to be AWSCURRENT");
  }
  const members = await lookup(SecretId);
  if (!members) {
    return refusal("ResourceNotFoundException", `there is no secret ${SecretId}`);
  }
  return {
    status: 200,
    body: {
      ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${SecretId}`,
      Name: SecretId,
      SecretString: JSON.stringify(members),
      VersionId: "local",
      VersionStages: ["AWSCURRENT"],
    },
  };
}

function failed(error: unknown): Answer {
  if (error instanceof ConfigError) return refusal("InvalidRequestException", explain(error));
  // Its message may quote what was read.
  return { status: 500, body: { __type: "InternalServiceError", Message: "the lookup failed" } };
}

function refusal(type: string, message: string): Answer {
  return { status: 400, body: { __type: type, Message: message } };
}
