import { Secret } from "../secret.ts";
import type { SourceConfig, SourceOptions } from "./types.ts";

// A registered symbol: a source stays one when two copies of this module are loaded.
const brand = Symbol.for("tidetable.source");

/** A config as the user wrote it. It has no name yet: its place in the registry or its file gives one. */
export interface Source {
  readonly config: SourceConfig;
  readonly options: SourceOptions;
}

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
export function rest_api_source(config: SourceConfig, options: SourceOptions = {}): Source {
  return Object.freeze({ [brand]: true, config, options });
}

export function isSource(value: unknown): value is Source {
  return typeof value === "object" && value !== null && brand in value;
}

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
