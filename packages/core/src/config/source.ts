import { Secret } from "../secrets/reference.ts";
import { StageValue } from "./stage-value.ts";
import type { SourceConfig, SourceOptions } from "./types.ts";

/** The largest number of resources in a source, and of resource names in an event. */
export const MAX_RESOURCES = 500;

// A registered symbol: isSource still holds when two copies of this module are loaded.
const brand = Symbol.for("tidetable.source");

/**
 * A config as the user wrote it, down to the literal types of its words, from which the reader
 * knows the tables. The name of a source comes from the registry or from its file.
 */
export interface Source<Config = SourceConfig, Options = SourceOptions> {
  readonly config: Config;
  readonly options: Options;
}

/**
 * Checks an argument and keeps its literal type. TypeScript infers `Given` from the branch that is
 * never chosen and then checks against `Shape` alone. An unknown key therefore stays a type error,
 * which a parameter of the type `Given` would accept.
 */
type Checked<Given, Shape> = [Given] extends [Shape] ? Shape : Given;

/**
 * Takes dlt's `rest_api` dict, and the options that dlt has no words for. The checks are in
 * `validate`, which runs before a run or a deployment, so that no worker carries their weight.
 *
 * @example
 * export const ticketing = rest_api_source(
 *   { "client": { "base_url": "https://api.example.com" }, "resources": ["tickets"] },
 *   { schedule: "rate(1 hour)" },
 * );
 */
export function rest_api_source<
  const Config extends SourceConfig,
  const Options extends SourceOptions = Record<never, never>,
>(
  config: Checked<Config, SourceConfig>,
  options?: Checked<Options, SourceOptions>,
): Source<Config, Options>;

export function rest_api_source(config: SourceConfig, options?: SourceOptions | null): Source {
  return Object.freeze({ [brand]: true, config, options: options ?? {} });
}

export function isSource(value: unknown): value is Source {
  return typeof value === "object" && value !== null && brand in value;
}

/** The registered sources by name. */
export type Sources = Readonly<Record<string, Source>>;

const nameBySource = new WeakMap<Source, string>();

/** Names each source by its key in the registry. */
export function register<const Registered extends Sources>(sources: Registered): Registered {
  for (const [name, source] of Object.entries(sources)) nameBySource.set(source, name);
  return sources;
}

/** Undefined for a source that was never registered. */
export const registeredName = (source: Source): string | undefined => nameBySource.get(source);

// Printers such as util.inspect ask for symbols, which must not become names of secrets.
const secrets: Readonly<Record<string, Secret>> = new Proxy(
  {},
  { get: (_, name) => (typeof name === "string" ? Secret.fromName(name) : undefined) },
);

/** A reference stands for a value of any type, so its own type is the one that fits everywhere. */
const config: Readonly<Record<string, never>> = new Proxy(
  {},
  { get: (_, name) => (typeof name === "string" ? new StageValue(name) : undefined) },
);

/**
 * The part of Python's `dlt` that a config uses. A secret is a reference: only a worker resolves
 * it, from the source's secret in Secrets Manager. A value is set by each stage, and no secret.
 *
 * @example dlt.secrets["api_key"]
 * @example dlt.config["region"]
 */
export const dlt = { secrets, config } as const;
