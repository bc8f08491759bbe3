import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-secrets-manager";
import { createSecretsManager, isFailure } from "@tidetable/core/internal";
import { registerSecret } from "@tidetable/core/internal/redact";
import { type Names, type SourcePlan, secretName } from "@tidetable/core/plan";
import { prepareDataFolder } from "../base/data-folder.ts";
import type { Options } from "../base/options.ts";
import { explainAwsErrors, notDeployedError } from "../stage/aws-errors.ts";
import { parseJsonSilently, readSecretsFile, type SecretMembers } from "./local-secrets.ts";
import { bindOrigins, boundNote, compareOrigins, credentialOrigins } from "./secret-origins.ts";

/** The secret of one source, in a file or in AWS. */
export interface WritableSecret {
  /** The file's path, or the secret's name in AWS. */
  place: string;
  /** Reads the present members. Empty for a secret without a value, or without permission to read. */
  read(): Promise<SecretMembers>;
  write(members: SecretMembers): Promise<void>;
  close(): void;
}

/**
 * The secrets file of a source, readable only by the owner. The file in the data folder is bound to the
 * origins of the source's config, and keeps no value that was set for others.
 */
export function openLocalSecret(
  plan: SourcePlan,
  { data, secrets }: Pick<Options, "data" | "secrets">,
  say: (line: string) => void,
): WritableSecret {
  const path = secrets ?? join(data, "secrets", `${plan.name}.json`);
  return {
    place: path,
    async read() {
      const members = (await readSecretsFile(path, () => {})) ?? {};
      if (secrets || Object.keys(members).length === 0) return members;
      const origins = credentialOrigins(plan, members);
      const { bound, foreign } = await compareOrigins(path, origins);
      if (!bound) say(boundNote(path, origins));
      if (foreign.length === 0) return members;
      say(
        `note: the present values were set for ${bound?.join(" and ")}: they are not kept for ${foreign.join(" and ")}`,
      );
      return {};
    },
    async write(members) {
      if (!secrets) prepareDataFolder(data);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // A concurrent run reads either the old members or the new members, never a mixture.
      const draft = `${path}.${process.pid}`;
      try {
        await writeFile(draft, `${JSON.stringify(members, null, 2)}\n`, { mode: 0o600 });
        await rename(draft, path);
        if (!secrets) await bindOrigins(path, credentialOrigins(plan, members));
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    close() {},
  };
}

/** The secret of a source in AWS Secrets Manager, which the stage's deployment has created. */
export function openDeployedSecret(
  source: string,
  names: Names,
  warn: (line: string) => void,
): WritableSecret {
  const client = explainAwsErrors(createSecretsManager(), names.stage);
  const name = secretName(names, source);
  const missingError = notDeployedError(names.stage, `there is no secret ${name}`);

  async function readCurrentValue(): Promise<string | undefined> {
    const command = new GetSecretValueCommand({ SecretId: name, VersionStage: "AWSCURRENT" });
    try {
      return (await client.send(command)).SecretString;
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
    // A secret without a value gives the same error as a missing secret. Only the latter throws here.
    await client.send(new DescribeSecretCommand({ SecretId: name }));
    return undefined;
  }

  return {
    place: name,
    async read() {
      try {
        return parseStringMembers(await readCurrentValue());
      } catch (error) {
        if (error instanceof ResourceNotFoundException) throw missingError;
        if (!isFailure(error) || error.code !== "aws.denied") throw error;
        // Permission to write a secret does not include permission to read.
        warn(`the present value cannot be read, so all members are needed: ${error.message}`);
        return {};
      }
    },
    async write(members) {
      const SecretString = JSON.stringify(members);
      const command = new PutSecretValueCommand({ SecretId: name, SecretString });
      await client.send(command).catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) throw missingError;
        if (isFailure(error)) throw error;
        // Only the error's name is shown: its message can quote the secret.
        const errorName = error instanceof Error ? error.name : "unknown error";
        throw new Error(`the secret ${name} did not take its value (${errorName})`);
      });
    },
    close: () => client.destroy(),
  };
}

/** Keeps members with a string, because a source can use only strings. */
function parseStringMembers(value: string | undefined): SecretMembers {
  const members = Object.entries(Object(parseJsonSilently(value ?? "{}"))).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  for (const [, member] of members) registerSecret(member);
  return Object.fromEntries(members);
}
