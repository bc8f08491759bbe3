import { randomUUID } from "node:crypto";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { ConfigError, RequestError } from "../base/errors.ts";
import { secretName } from "../base/names.ts";
import {
  AWS_CONNECT_MS,
  AWS_REQUEST_MS,
  SECRET_CACHE_MS,
  SECRET_WRITE_PAUSES_MS,
} from "../base/timing.ts";
import type { World } from "../base/world.ts";
import { Decimal } from "../values/decimal.ts";
import { isObject, type JsonValue } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { parseJson } from "../values/parse-json.ts";
import { registerSecret } from "./redact.ts";
import type { SecretValues } from "./reference.ts";

/**
 * Does `work` while no other worker of the source does, and waits for its turn before. What `work`
 * asks of an API has to have ended by `until`, on the monotonic clock.
 */
export type WithLock = <T>(work: (until: number) => Promise<T>) => Promise<T>;

/** The secret of one source. Reading rejects unless it has every member that the source names. */
export interface SecretStore {
  read(): Promise<SecretValues>;
  /** Past the cache: after a 401, the value may have been rotated. */
  refresh(): Promise<SecretValues>;
  /**
   * Replaces members and keeps the others. Secrets Manager compares nothing, so this is for within
   * `alone`, behind a `refresh` and as close to it as can be.
   */
  write(changes: Readonly<Record<string, string>>): Promise<void>;
  /** Around a `write`, its `refresh` and what lies between them. */
  withLock: WithLock;
}

/** What a container knows of a secret. */
interface Held {
  cached?: { readAt: number; members: Promise<Members> } | undefined;
  /** What could not be written, and over what: nobody else has it. */
  unwritten?: { changes: Readonly<Record<string, string>>; over: Members } | undefined;
}

type Members = ReadonlyMap<string, JsonValue>;

/** Which secret, for messages. */
interface SecretLocation {
  id: string;
  /** The command that fills it. */
  set: string;
}

/** Time-outs throw, as the DynamoDB client's do. Two attempts: a secret is read once per container. */
export const createSecretsManager = (): SecretsManagerClient =>
  new SecretsManagerClient({
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: AWS_CONNECT_MS,
      requestTimeout: AWS_REQUEST_MS,
      throwOnRequestTimeout: true,
    },
  });

/** Per container: it outlives an invocation as the client does. */
const containers = new WeakMap<Pick<SecretsManagerClient, "send">, Map<string, Held>>();

/** Reads the source's one secret, a JSON object, when something is asked of it. */
export function openSecretStore(
  world: Pick<World, "secretsManager" | "names" | "clock">,
  source: string,
  /** The members that the source refers to. */
  names: readonly string[],
): Omit<SecretStore, "withLock"> {
  const { secretsManager, clock } = world;
  const id = secretName(world.names, source);
  const place = { id, set: `tidetable secrets set ${source} --stage ${world.names.stage}` };
  const ofContainer = containers.get(secretsManager) ?? new Map<string, Held>();
  containers.set(secretsManager, ofContainer);
  const held = ofContainer.get(id) ?? {};
  ofContainer.set(id, held);

  const fetch = (): Promise<Members> => {
    const members = fetchMembers(secretsManager, place);
    // The promise is what is cached, so that callers at the same time share one read. One that
    // failed is not kept.
    const cached = { readAt: clock.now(), members };
    held.cached = cached;
    members.catch(() => {
      if (held.cached === cached) held.cached = undefined;
    });
    return members;
  };

  const write = async (changes: Readonly<Record<string, string>>) => {
    const over = await (held.cached?.members ?? fetch());
    const members = new Map<string, JsonValue>([...over, ...Object.entries(changes)]);
    held.unwritten = { changes, over };
    await put(world, place, members);
    held.unwritten = undefined;
    held.cached = { readAt: clock.now(), members: Promise.resolve(members) };
  };

  const refresh = async () => {
    const members = await fetch();
    const { unwritten } = held;
    held.unwritten = undefined;
    // Unless somebody has put another value there since.
    if (unwritten && isAsBefore(members, unwritten)) await write(unwritten.changes);
    return checked(await (held.cached?.members ?? members), names, place);
  };

  const read = async () => {
    const { cached } = held;
    const fresh = cached && clock.now() - cached.readAt < SECRET_CACHE_MS;
    return fresh ? checked(await cached.members, names, place) : refresh();
  };

  // A source without credentials, or with all of them in its config, has no secret to read.
  const none = async () => checked(new Map(), [], place);
  const reading = names.length === 0 ? { read: none, refresh: none } : { read, refresh };
  return { ...reading, write };
}

const isAsBefore = (members: Members, { changes, over }: NonNullable<Held["unwritten"]>) =>
  Object.keys(changes).every((name) => members.get(name) === over.get(name));

async function put(
  { secretsManager, clock }: Pick<World, "secretsManager" | "clock">,
  place: SecretLocation,
  members: Members,
): Promise<void> {
  const input = {
    SecretId: place.id,
    // What was taken, but not answered, is taken once.
    ClientRequestToken: randomUUID(),
    SecretString: jsonText(Object.fromEntries(members)),
  };
  for (const pause of [...SECRET_WRITE_PAUSES_MS, undefined]) {
    try {
      await secretsManager.send(new PutSecretValueCommand(input));
      return;
    } catch (error) {
      if (pause === undefined) throw unwritable(error, place);
      await clock.sleep(pause);
    }
  }
}

async function fetchMembers(
  client: Pick<SecretsManagerClient, "send">,
  place: SecretLocation,
): Promise<Members> {
  const command = new GetSecretValueCommand({ SecretId: place.id, VersionStage: "AWSCURRENT" });
  const { SecretString } = await client.send(command).catch((error: unknown) => {
    throw unreadable(error, place);
  });
  const value = parsed(SecretString ?? "");
  if (isObject(value)) {
    // Whatever becomes of them: from here on nothing prints or stores one.
    for (const member of Object.values(value)) registerSecret(String(member));
    return new Map(Object.entries(value));
  }
  throw wrongShape(`the secret ${place.id} is not a JSON object such as {"api_key": "…"}`, place);
}

// The error of JSON.parse is dropped: it quotes the text.
function parsed(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** All members that are wrong, at once. */
function checked(members: Members, names: readonly string[], place: SecretLocation): SecretValues {
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
  if (Number.isSafeInteger(value)) return undefined;
  const isNumber = ["number", "bigint"].includes(typeof value) || value instanceof Decimal;
  return isNumber ? `"${name}" is a number that needs quotes` : `"${name}" is not a text`;
}

function wrongShape(message: string, { set }: SecretLocation): ConfigError {
  return new ConfigError({
    code: "secrets.shape",
    message,
    hint: `run: ${set}`,
  });
}

function unwritable(error: unknown, { id, set }: SecretLocation): RequestError {
  return new RequestError({
    code: "secrets.unwritten",
    message: `the API has replaced a credential, and the secret ${id} did not take the new one (${nameOf(error)})`,
    hint: `the function's role needs secretsmanager:PutSecretValue on it; when the API refuses the old one, get another and run: ${set}`,
    retryable: true,
  });
}

function unreadable(error: unknown, { id, set }: SecretLocation): ConfigError | RequestError {
  if (error instanceof ResourceNotFoundException) {
    return new ConfigError({
      code: "secrets.empty",
      message: `the secret ${id} has no value yet`,
      hint: `run: ${set}`,
    });
  }
  return new RequestError({
    code: "secrets.unavailable",
    message: `the secret ${id} could not be read (${nameOf(error)})`,
    hint: "the function's role needs secretsmanager:GetSecretValue on it",
    retryable: true,
  });
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "unknown error");
