import { Secret } from "../secrets/reference.ts";
import type { SourceConfig, SourceOptions } from "./types.ts";

/*
 * How large a config may be: far beyond what anybody writes, and small enough for all that walks
 * it afterwards, by recursion too.
 */

/** Of a source. An event names as many at most. */
export const MOST_RESOURCES = 500;

// A registered symbol: a source stays one when two copies of this module are loaded.
const brand = Symbol.for("tidetable.source");

/**
 * A config as the user wrote it, down to the words in its type: a reader knows its tables by them.
 * It has no name of its own: its place in the registry or its file gives one.
 */
export interface Source<Config = SourceConfig, Options = SourceOptions> {
  readonly config: Config;
  readonly options: Options;
}

/**
 * What an argument is checked against, while its own type is kept. TypeScript takes `Given` from
 * the branch that is never chosen and then checks against `Shape` alone: an unknown key stays an
 * error, which it would not be for a parameter of the type `Given`.
 */
type Checked<Given, Shape> = [Given] extends [Shape] ? Shape : Given;

/**
 * Takes dlt's `rest_api` dict as it is, and beside it what dlt has no words for. Nothing is checked
 * here: `validate` does that before a run or a deployment, so that no worker carries its weight.
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

const names = new WeakMap<Source, string>();

/** Gives each source the name under which it stands here. */
export function register<const Sources extends Readonly<Record<string, Source>>>(
  sources: Sources,
): Sources {
  for (const [name, source] of Object.entries(sources)) names.set(source, name);
  return sources;
}

/** Undefined: it was never registered. */
export const registeredName = (source: Source): string | undefined => names.get(source);

// Printers ask for symbols: only a text is a name.
const secrets: Readonly<Record<string, Secret>> = new Proxy(
  {},
  { get: (_, name) => (typeof name === "string" ? Secret.named(name) : undefined) },
);

/**
 * The part of Python's `dlt` that a config uses. A secret is a reference: only a worker ever
 * resolves it, from the source's secret in Secrets Manager.
 *
 * @example dlt.secrets["api_key"]
 */
export const dlt = { secrets } as const;
