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
import type { Clock, World } from "../base/world.ts";
import type { JsonValue } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { checkMembers, parseMembers, type SecretLocation, type SecretMembers } from "./members.ts";
import type { SecretValues } from "./reference.ts";

/**
 * Waits until no other worker of the source holds the lock, and then does `work` under the lock.
 * Requests of `work` to an API have to end before `until`, on the monotonic clock.
 */
export type WithLock = <T>(work: (until: number, note?: LockNote) => Promise<T>) => Promise<T>;

/** A text beside the lock, for the worker that holds the lock next. It must not hold a secret in clear. */
export interface LockNote {
  read(): Promise<string | undefined>;
  write(text: string): Promise<unknown>;
}

/** The secret of one source. Reads reject unless the secret has every member that the source names. */
export interface SecretStore {
  read(): Promise<SecretValues>;
  /** Reads past the cache, because the value may have been rotated before a 401. */
  refresh(): Promise<SecretValues>;
  /**
   * Replaces members and keeps all others. Secrets Manager has no conditional write, so call this
   * method inside `withLock`, shortly after a `refresh`.
   */
  write(changes: SecretChanges): Promise<void>;
  /** Encloses a `refresh`, the request for a new credential, and the `write`. */
  withLock: WithLock;
}

type SecretChanges = Readonly<Record<string, string>>;

/** A secret is read once per container, so two attempts suffice. Time-outs throw, as in DynamoDB's client. */
export const createSecretsManager = (): SecretsManagerClient =>
  new SecretsManagerClient({
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: AWS_CONNECT_MS,
      requestTimeout: AWS_REQUEST_MS,
      throwOnRequestTimeout: true,
    },
  });

type SecretsManager = World["secretsManager"];

/** The secrets that a container has read. They outlive an invocation, as the client does. */
const containerSecrets = new WeakMap<SecretsManager, Map<string, ContainerSecret>>();

/** Opens the secret of a source. No request is made before the first read. */
export function openSecretStore(
  world: Pick<World, "secretsManager" | "names" | "clock">,
  source: string,
  /** The members that the source refers to. */
  memberNames: readonly string[],
): Omit<SecretStore, "withLock"> {
  const { clock } = world;
  const location = {
    id: secretName(world.names, source),
    setCommand: `tidetable secrets set ${source} --stage ${world.names.stage}`,
  };
  const secret = findContainerSecret(world.secretsManager, location);
  const write = (changes: SecretChanges) => secret.write(changes, clock);
  if (memberNames.length === 0) {
    // A source without credentials, or with plain credentials in its config, has no secret.
    const readNothing = async () => checkMembers(new Map(), [], location);
    return { read: readNothing, refresh: readNothing, write };
  }
  const check = (members: SecretMembers) => checkMembers(members, memberNames, location);
  return {
    read: async () => check(await secret.read(clock)),
    refresh: async () => check(await secret.refresh(clock)),
    write,
  };
}

function findContainerSecret(client: SecretsManager, location: SecretLocation): ContainerSecret {
  const secrets = containerSecrets.get(client) ?? new Map<string, ContainerSecret>();
  containerSecrets.set(client, secrets);
  const secret = secrets.get(location.id) ?? new ContainerSecret(client, location);
  secrets.set(location.id, secret);
  return secret;
}

/** A secret in the memory of a container. Private names keep the values out of every printed object. */
class ContainerSecret {
  readonly #client: SecretsManager;
  readonly #location: SecretLocation;
  /** The last read, finished or under way. Simultaneous callers share one; a failed one is dropped. */
  #cached: { readAt: number; members: Promise<SecretMembers> } | undefined;
  /** A change that Secrets Manager did not accept, with the members before. No other worker has it. */
  #unwritten: { changes: SecretChanges; replaced: SecretMembers } | undefined;

  constructor(client: SecretsManager, location: SecretLocation) {
    this.#client = client;
    this.#location = location;
  }

  async read(clock: Clock): Promise<SecretMembers> {
    const cached = this.#cached;
    const isFresh = cached && clock.now() - cached.readAt < SECRET_CACHE_MS;
    return isFresh ? cached.members : this.refresh(clock);
  }

  async refresh(clock: Clock): Promise<SecretMembers> {
    const members = await this.#fetchMembers(clock);
    const unwritten = this.#unwritten;
    this.#unwritten = undefined;
    // A value that a person has set in the meantime wins over the unwritten one.
    if (unwritten && !hasChanged(members, unwritten)) await this.write(unwritten.changes, clock);
    return this.#cached?.members ?? members;
  }

  async write(changes: SecretChanges, clock: Clock): Promise<void> {
    const replaced = await (this.#cached?.members ?? this.#fetchMembers(clock));
    const members = new Map<string, JsonValue>([...replaced, ...Object.entries(changes)]);
    this.#unwritten = { changes, replaced };
    await this.#putMembers(members, clock);
    this.#unwritten = undefined;
    this.#cached = { readAt: clock.now(), members: Promise.resolve(members) };
  }

  #fetchMembers(clock: Clock): Promise<SecretMembers> {
    const members = this.#requestMembers();
    const cached = { readAt: clock.now(), members };
    this.#cached = cached;
    members.catch(() => {
      if (this.#cached === cached) this.#cached = undefined;
    });
    return members;
  }

  async #requestMembers(): Promise<SecretMembers> {
    const { id } = this.#location;
    const command = new GetSecretValueCommand({ SecretId: id, VersionStage: "AWSCURRENT" });
    const { SecretString } = await this.#client.send(command).catch((error: unknown) => {
      throw readError(error, this.#location);
    });
    return parseMembers(SecretString ?? "", this.#location);
  }

  async #putMembers(members: SecretMembers, clock: Clock): Promise<void> {
    const input = {
      SecretId: this.#location.id,
      // Secrets Manager ignores a repetition with the same token, so a lost answer does no harm.
      ClientRequestToken: randomUUID(),
      SecretString: jsonText(Object.fromEntries(members)),
    };
    for (const pauseMs of [...SECRET_WRITE_PAUSES_MS, undefined]) {
      try {
        await this.#client.send(new PutSecretValueCommand(input));
        return;
      } catch (error) {
        if (pauseMs === undefined) throw writeError(error, this.#location);
        await clock.sleep(pauseMs);
      }
    }
  }
}

const hasChanged = (
  members: SecretMembers,
  { changes, replaced }: { changes: SecretChanges; replaced: SecretMembers },
): boolean => Object.keys(changes).some((name) => members.get(name) !== replaced.get(name));

function readError(error: unknown, { id, setCommand }: SecretLocation): ConfigError | RequestError {
  if (error instanceof ResourceNotFoundException) {
    return new ConfigError({
      code: "secrets.empty",
      message: `the secret ${id} has no value yet`,
      hint: `run: ${setCommand}`,
    });
  }
  return new RequestError({
    code: "secrets.unavailable",
    message: `the secret ${id} could not be read (${errorName(error)})`,
    hint: "the function's role needs secretsmanager:GetSecretValue on it",
    retryable: true,
  });
}

const writeError = (error: unknown, { id, setCommand }: SecretLocation): RequestError =>
  new RequestError({
    code: "secrets.unwritten",
    message: `the API has replaced a credential, and the secret ${id} did not accept the new one (${errorName(error)})`,
    hint: `the function's role needs secretsmanager:PutSecretValue on it; if the API refuses the old credential, get a new one and run: ${setCommand}`,
    retryable: true,
  });

const errorName = (error: unknown): string =>
  error instanceof Error ? error.name : "unknown error";
