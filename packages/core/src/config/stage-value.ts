export type StageValueContent = string | number | boolean | null;

/**
 * A reference to a value that each stage sets, such as a region or the name of an account:
 * `dlt.config["region"]`. Template strings keep the reference as `{values.region}`. The value takes
 * its place before the config is checked and planned, so the engine knows no references.
 */
export class StageValue {
  readonly name: string;
  /** The value where the stage sets none. Undefined: the stage has to set one. */
  readonly fallback: StageValueContent | undefined;

  constructor(name: string, fallback?: StageValueContent) {
    this.name = name;
    this.fallback = fallback;
  }

  toString(): string {
    return this.fallback == null
      ? `{values.${this.name}}`
      : `{values.${this.name}=${this.fallback}}`;
  }
}

/** A value with a default, for the stages that set none. */
export const value = (name: string, fallback?: StageValueContent): never =>
  // A reference stands for a value of any type, so its own type is the one that fits everywhere.
  new StageValue(name, fallback) as never;
