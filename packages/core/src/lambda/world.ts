import { Logger } from "@aws-lambda-powertools/logger";
import type { Network } from "../base/addresses.ts";
import { realClock } from "../base/clock.ts";
import type { Names } from "../base/names.ts";
import { isLoopback } from "../base/origins.ts";
import type { Log, World } from "../base/world.ts";
import type { Sources } from "../config/source.ts";
import { fillSources } from "../config/stage-values.ts";
import { dynamodbClient } from "../dynamodb/client.ts";
import type { WorkerEvent } from "../entry/events.ts";
import { httpAgent, type Proxies } from "../extract/http/agent.ts";
import { deadlineOf } from "../run/pacer.ts";
import { createSecretsManager } from "../secrets/store.ts";

/** The sources of a stage. Local mode and tests replace parts of the world by the other members. */
export interface HandlerOptions {
  sources: Sources;
  log?: Log;
  signal?: AbortSignal;
  invoke?: (event: WorkerEvent) => Promise<void>;
}

/** What the handlers read of the context that Lambda passes to them. */
export interface LambdaContext {
  awsRequestId: string;
  logStreamName: string;
  getRemainingTimeInMillis(): number;
}

/** Writes one JSON line per entry. */
function jsonLog(context: LambdaContext): Log {
  const logger = new Logger({ serviceName: "tidetable" });
  // Lambda passes all of its context, of which the logger writes more than the handlers read.
  logger.addContext(context as Parameters<Logger["addContext"]>[0]);
  return {
    debug: (message, fields = {}) => logger.debug(message, fields),
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
  };
}

/** The sources with the stage's values in their places. */
export const stageSources = (sources: Sources): Sources =>
  fillSources(sources, JSON.parse(process.env.TIDETABLE_VALUES ?? "{}"));

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

export function lambdaWorld(
  context: LambdaContext,
  { log, signal }: Pick<HandlerOptions, "log" | "signal">,
): World {
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
    log: log ?? jsonLog(context),
    signal: signal ?? new AbortController().signal,
    deadline: deadlineOf(realClock.monotonic(), context.getRemainingTimeInMillis()),
    origins: new Map(),
  };
}
