import { Logger } from "@aws-lambda-powertools/logger";
import {
  deadlineOf,
  dynamodbClient,
  httpAgent,
  isLoopback,
  type Log,
  type Names,
  type Network,
  type Proxies,
  realClock,
  type Sources,
  secretsManagerClient,
  type WorkerEvent,
  type World,
} from "@tidetable/core";
import { sources } from "@tidetable/sources";
import type { Context } from "aws-lambda";

/** What local mode and tests pass in place of Lambda's. */
export interface Seams {
  sources?: Sources;
  log?: Log;
  signal?: AbortSignal;
  invoke?: (event: WorkerEvent) => Promise<void>;
}

/** One JSON line per event. */
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

export const registered = (seams: Seams): Sources => seams.sources ?? sources;

export const names = (): Names => ({
  app: process.env.TIDETABLE_APP ?? "tidetable",
  stage: process.env.TIDETABLE_STAGE ?? "local",
});

/** Where a source's requests go instead: local mode only, refused elsewhere. */
export const localOrigin = (source: string) => ({
  override: process.env[`TIDETABLE_ORIGIN_${source.toUpperCase()}`],
  dynamodbEndpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB,
});

/** Local mode is where DynamoDB is on this machine; a worker with a `vpc` is told so by its stack. */
function network(): Network {
  if (isLoopback(process.env.AWS_ENDPOINT_URL_DYNAMODB)) return "machine";
  return process.env.TIDETABLE_NETWORK === "vpc" ? "vpc" : "internet";
}

/** In small letters first, as curl has it. */
function proxies(): Proxies {
  const { env } = process;
  return {
    http: env.http_proxy ?? env.HTTP_PROXY,
    https: env.https_proxy ?? env.HTTPS_PROXY,
    none: env.no_proxy ?? env.NO_PROXY,
  };
}

/** Clients keep their connections for the life of the container. */
let clients: Pick<World, "dynamodb" | "secretsManager" | "http"> | undefined;

export function world(context: Context, seams: Seams): World {
  clients ??= {
    dynamodb: dynamodbClient(),
    secretsManager: secretsManagerClient(),
    http: httpAgent(network(), proxies()),
  };
  return {
    ...clients,
    names: names(),
    clock: realClock,
    random: Math.random,
    log: seams.log ?? jsonLog(context),
    signal: seams.signal ?? new AbortController().signal,
    deadline: deadlineOf(realClock.monotonic(), context.getRemainingTimeInMillis()),
    origins: new Map(),
  };
}
