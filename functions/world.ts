import { Logger } from "@aws-lambda-powertools/logger";
import {
  createSecretsManager,
  deadlineOf,
  dynamodbClient,
  fillSources,
  httpAgent,
  isLoopback,
  type Log,
  type Names,
  type Network,
  type Proxies,
  realClock,
  type Sources,
  type WorkerEvent,
  type World,
} from "@tidetable/core";
import { sources } from "@tidetable/sources";
import type { Context } from "aws-lambda";

/** Local mode and tests replace parts of the world by these seams. */
export interface Seams {
  sources?: Sources;
  log?: Log;
  signal?: AbortSignal;
  invoke?: (event: WorkerEvent) => Promise<void>;
}

/** Writes one JSON line per entry. */
function jsonLog(context: Context): Log {
  const logger = new Logger({ serviceName: "tidetable" });
  logger.addContext(context);
  return {
    debug: (message, fields = {}) => logger.debug(message, fields),
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
  };
}

export const registeredSources = (seams: Seams): Sources => seams.sources ?? stageSources();

/** The registered sources with the stage's values in their places, once for a container. */
let filledSources: Sources | undefined;

function stageSources(): Sources {
  filledSources ??= fillSources(sources, JSON.parse(process.env.TIDETABLE_VALUES ?? "{}"));
  return filledSources;
}

export const stageNames = (): Names => ({
  app: process.env.TIDETABLE_APP ?? "tidetable",
  stage: process.env.TIDETABLE_STAGE ?? "local",
});

/** Local mode may send the requests of a source to another origin, which is refused elsewhere. */
export const localOrigin = (source: string) => ({
  override: process.env[`TIDETABLE_ORIGIN_${source.toUpperCase()}`],
  dynamodbEndpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB,
});

/** A DynamoDB on this machine means local mode. The stack sets the variable for a `vpc`. */
function readNetwork(): Network {
  if (isLoopback(process.env.AWS_ENDPOINT_URL_DYNAMODB)) return "machine";
  return process.env.TIDETABLE_NETWORK === "vpc" ? "vpc" : "internet";
}

/** As in curl, the names in small letters win. */
function readProxies(): Proxies {
  const { env } = process;
  return {
    http: env.http_proxy ?? env.HTTP_PROXY,
    https: env.https_proxy ?? env.HTTPS_PROXY,
    none: env.no_proxy ?? env.NO_PROXY,
  };
}

/** The clients, with their connections, are shared by every invocation of the container. */
let sharedClients: Pick<World, "dynamodb" | "secretsManager" | "http"> | undefined;

export function lambdaWorld(context: Context, seams: Seams): World {
  sharedClients ??= {
    dynamodb: dynamodbClient(),
    secretsManager: createSecretsManager(),
    http: httpAgent(readNetwork(), readProxies()),
  };
  return {
    ...sharedClients,
    names: stageNames(),
    clock: realClock,
    random: Math.random,
    log: seams.log ?? jsonLog(context),
    signal: seams.signal ?? new AbortController().signal,
    deadline: deadlineOf(realClock.monotonic(), context.getRemainingTimeInMillis()),
    origins: new Map(),
  };
}
