import type { IncomingMessage, RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import { ConfigError, explainError } from "@tidetable/core/internal/config";
import { openLoopbackServer } from "../base/loopback.ts";
import type { SecretMembers } from "./local-secrets.ts";

interface Answer {
  status: number;
  body: unknown;
}

type ReadSecret = (secretId: string) => Promise<SecretMembers | undefined>;

/** Finds the function for writing a secret. Undefined for a read-only secret, as in AWS. */
export type FindSecretWriter = (
  secretId: string,
) => ((members: SecretMembers) => Promise<void>) | undefined;

interface SecretBackend {
  readSecret: ReadSecret;
  findWriter: FindSecretWriter;
}

/**
 * Serves the workers' part of AWS Secrets Manager: GetSecretValue, and PutSecretValue for a source
 * whose API replaces the refresh token. Every call reads the values again: a changed file acts like
 * a rotated secret.
 */
export async function openSecretsEndpoint(
  readSecret: ReadSecret,
  findWriter: FindSecretWriter = () => undefined,
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const backend = { readSecret, findWriter };
  const listener: RequestListener = async (request, response) => {
    const { status, body } = await answerRequest(request, backend).catch(errorAnswer);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(body));
  };
  const { url, close } = await openLoopbackServer(listener, { needsKey: true });
  return { endpoint: url, close };
}

async function answerRequest(request: IncomingMessage, backend: SecretBackend): Promise<Answer> {
  const body = JSON.parse(await text(request));
  switch (request.headers["x-amz-target"]) {
    case "secretsmanager.GetSecretValue":
      return getSecretValue(body, backend);
    case "secretsmanager.PutSecretValue":
      return putSecretValue(body, backend);
    default:
      return refusal(
        "UnknownOperationException",
        "only GetSecretValue and PutSecretValue are served here",
      );
  }
}

async function getSecretValue(
  { SecretId, VersionStage }: Record<string, string>,
  { readSecret }: SecretBackend,
): Promise<Answer> {
  // The policy of a deployed worker may allow only AWSCURRENT. The same limit applies locally.
  if (VersionStage !== "AWSCURRENT") {
    return refusal("InvalidParameterException", "VersionStage has to be AWSCURRENT");
  }
  const members = await readSecret(String(SecretId));
  if (!members) {
    return refusal("ResourceNotFoundException", `there is no secret ${SecretId}`);
  }
  const version = describeVersion(String(SecretId), "local");
  return { status: 200, body: { ...version, SecretString: JSON.stringify(members) } };
}

async function putSecretValue(
  { SecretId, ClientRequestToken, SecretString }: Record<string, string>,
  { findWriter }: SecretBackend,
): Promise<Answer> {
  const writeSecret = findWriter(String(SecretId));
  if (!writeSecret) {
    return refusal("AccessDeniedException", `nobody may call PutSecretValue on ${SecretId}`);
  }
  // Secrets Manager recognises repeated calls by the token and limits the length.
  if (!/^.{32,64}$/.test(String(ClientRequestToken))) {
    return refusal("InvalidParameterException", "ClientRequestToken needs 32 to 64 characters");
  }
  await writeSecret(JSON.parse(String(SecretString)));
  return { status: 200, body: describeVersion(String(SecretId), String(ClientRequestToken)) };
}

const describeVersion = (secretId: string, versionId: string) => ({
  ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${secretId}`,
  Name: secretId,
  VersionId: versionId,
  VersionStages: ["AWSCURRENT"],
});

function errorAnswer(error: unknown): Answer {
  if (error instanceof ConfigError) return refusal("InvalidRequestException", explainError(error));
  // The error's own message may quote a secret value.
  return { status: 500, body: { __type: "InternalServiceError", Message: "the lookup failed" } };
}

function refusal(type: string, message: string): Answer {
  return { status: 400, body: { __type: type, Message: message } };
}
