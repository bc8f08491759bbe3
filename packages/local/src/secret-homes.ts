import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-secrets-manager";
import { isFailure, secretName, secretsManagerClient } from "@tidetable/core";
import { learn } from "@tidetable/core/redact";
import { deployedNames } from "./names.ts";
import type { Options } from "./options.ts";
import { readSecretsFile, type SecretMembers } from "./secrets-endpoint.ts";
import { explained, notDeployed } from "./stage.ts";

/** Where the secret of one source is kept. */
export interface SecretHome {
  /** A file's path, or the secret's name. */
  place: string;
  /** What is there now; nothing where there is no value yet, or none that may be seen. */
  read(): Promise<SecretMembers>;
  write(members: SecretMembers): Promise<void>;
  close(): void;
}

/** A file that only its owner can read. */
export function localSecret(
  source: string,
  { data, secrets }: Pick<Options, "data" | "secrets">,
): SecretHome {
  const place = secrets ?? join(data, "secrets", `${source}.json`);
  return {
    place,
    read: async () => (await readSecretsFile(place, () => {})) ?? {},
    async write(members) {
      await mkdir(dirname(place), { recursive: true, mode: 0o700 });
      // Renamed into place: a run that reads it meanwhile finds the old members or the new ones.
      const draft = `${place}.${process.pid}`;
      try {
        await writeFile(draft, `${JSON.stringify(members, null, 2)}\n`, { mode: 0o600 });
        await rename(draft, place);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    close() {},
  };
}

/** The secret that a deployment has made, in AWS Secrets Manager. */
export function deployedSecret(
  source: string,
  stage: string,
  warn: (line: string) => void,
): SecretHome {
  const client = explained(secretsManagerClient(), stage);
  const place = secretName(deployedNames(stage), source);
  const absent = notDeployed(stage, `there is no secret ${place}`);

  async function current(): Promise<string | undefined> {
    const command = new GetSecretValueCommand({ SecretId: place, VersionStage: "AWSCURRENT" });
    try {
      return (await client.send(command)).SecretString;
    } catch (error) {
      // A secret without a value is answered in the same way as none.
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
    await client.send(new DescribeSecretCommand({ SecretId: place }));
    return undefined;
  }

  return {
    place,
    async read() {
      try {
        return texts(await current());
      } catch (error) {
        if (error instanceof ResourceNotFoundException) throw absent;
        if (!isFailure(error) || error.code !== "aws.denied") throw error;
        // Who may write a secret need not be able to read it.
        warn(`the present value can not be read, so all members are needed: ${error.message}`);
        return {};
      }
    },
    async write(members) {
      const SecretString = JSON.stringify(members);
      const command = new PutSecretValueCommand({ SecretId: place, SecretString });
      await client.send(command).catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) throw absent;
        if (isFailure(error)) throw error;
        // By its name alone: its message can quote what was sent.
        const name = error instanceof Error ? error.name : "unknown error";
        throw new Error(`the secret ${place} did not take its value (${name})`);
      });
    },
    close: () => client.destroy(),
  };
}

/** Members that are no texts are not worth keeping: the source could not use them. */
function texts(value: string | undefined): SecretMembers {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value ?? "{}");
  } catch {
    // Its error would quote the text.
    return {};
  }
  const members = Object.entries(Object(parsed)).filter(([, one]) => typeof one === "string");
  for (const [, one] of members) learn(String(one));
  return Object.fromEntries(members) as SecretMembers;
}
