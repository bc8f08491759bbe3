import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { ConfigError, RequestError } from "./errors.ts";
import { secretName } from "./names.ts";
import type { SecretValues } from "./secret.ts";
import type { World } from "./world.ts";

/** The secret of one source. Both reject unless it has every member that the source names. */
export interface SecretStore {
  read(): Promise<SecretValues>;
  /** Past the cache: after a 401, the value may have been rotated. */
  refresh(): Promise<SecretValues>;
}

interface Cached {
  readAt: number;
  members: Promise<Members>;
}

type Members = ReadonlyMap<string, unknown>;

/** Which secret, for messages. */
interface Place {
  id: string;
  /** The command that fills it. */
  set: string;
}

const TTL_MS = 5 * 60_000;

/** Time-outs throw, as the DynamoDB client's do. Two attempts: a secret is read once per container. */
export const secretsManagerClient = (): SecretsManagerClient =>
  new SecretsManagerClient({
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
    },
  });

/** Per container: it outlives an invocation as the client does. */
const caches = new WeakMap<Pick<SecretsManagerClient, "send">, Map<string, Cached>>();

/** Reads the source's one secret, a JSON object, when something is asked of it. */
export function secretStore(
  world: Pick<World, "secretsManager" | "names" | "clock">,
  source: string,
  /** The members that the source refers to. */
  names: readonly string[],
): SecretStore {
  const { secretsManager, clock } = world;
  const id = secretName(world.names, source);
  const place = { id, set: `tidetable secrets set ${source} --stage ${world.names.stage}` };
  const cache = caches.get(secretsManager) ?? new Map<string, Cached>();
  caches.set(secretsManager, cache);

  const refresh = async () => {
    const members = fetchMembers(secretsManager, place);
    // The promise is what is cached, so that callers at the same time share one read. One that
    // failed is not kept.
    cache.set(id, { readAt: clock.now(), members });
    members.catch(() => cache.delete(id));
    return checked(await members, names, place);
  };

  const read = async () => {
    const cached = cache.get(id);
    const fresh = cached && clock.now() - cached.readAt < TTL_MS;
    return fresh ? checked(await cached.members, names, place) : refresh();
  };

  // A source without credentials, or with all of them in its config, has no secret to read.
  const none = async () => checked(new Map(), [], place);
  return names.length === 0 ? { read: none, refresh: none } : { read, refresh };
}

async function fetchMembers(
  client: Pick<SecretsManagerClient, "send">,
  place: Place,
): Promise<Members> {
  const command = new GetSecretValueCommand({ SecretId: place.id, VersionStage: "AWSCURRENT" });
  const { SecretString } = await client.send(command).catch((error: unknown) => {
    throw unreadable(error, place);
  });
  const value = parsed(SecretString ?? "");
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return new Map(Object.entries(value));
  }
  throw wrongShape(`the secret ${place.id} is not a JSON object such as {"api_key": "…"}`, place);
}

// The error of JSON.parse is dropped: it quotes the text.
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** All members that are wrong, at once. */
function checked(members: Members, names: readonly string[], place: Place): SecretValues {
  const faults = names.flatMap((name) => faultOf(name, members) ?? []);
  if (faults.length > 0) {
    throw wrongShape(`in the secret ${place.id}, ${faults.join(" and ")}`, place);
  }
  return {
    get: (name) => {
      const fault = faultOf(name, members);
      if (fault) throw wrongShape(`in the secret ${place.id}, ${fault}`, place);
      return String(members.get(name));
    },
  };
}

function faultOf(name: string, members: Members): string | undefined {
  const value = members.get(name);
  if (value === undefined) return `"${name}" is missing`;
  if (value === "") return `"${name}" is empty`;
  if (typeof value === "string") return undefined;
  if (typeof value !== "number") return `"${name}" is not a text`;
  return Number.isSafeInteger(value) ? undefined : `"${name}" is a number that needs quotes`;
}

function wrongShape(message: string, { set }: Place): ConfigError {
  return new ConfigError({
    code: "secrets.shape",
    message,
    hint: `run: ${set}`,
  });
}

function unreadable(error: unknown, { id, set }: Place): ConfigError | RequestError {
  if (error instanceof ResourceNotFoundException) {
    return new ConfigError({
      code: "secrets.empty",
      message: `the secret ${id} has no value yet`,
      hint: `run: ${set}`,
    });
  }
  const name = error instanceof Error ? error.name : "unknown error";
  return new RequestError({
    code: "secrets.unavailable",
    message: `the secret ${id} could not be read (${name})`,
    hint: "the function's role needs secretsmanager:GetSecretValue on it",
    retryable: true,
  });
}
