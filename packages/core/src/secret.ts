import { inspect } from "node:util";

/**
 * A reference to a credential, never the value: `dlt.secrets["api_key"]` names the member
 * `api_key` of the source's secret. Wherever it is printed it reads `[secret]`.
 */
export class Secret {
  /** The member of the source's secret, or undefined where the config holds the text itself. */
  readonly name: string | undefined;
  readonly #literal: string | undefined;

  private constructor(name: string | undefined, literal: string | undefined) {
    this.name = name;
    this.#literal = literal;
  }

  static named(name: string): Secret {
    return new Secret(name, undefined);
  }

  /** A credential written into the config as plain text: it runs, with a warning, and stays unprinted. */
  static literal(text: string): Secret {
    return new Secret(undefined, text);
  }

  /** The one way to the value. Only `extract/auth.ts` calls it, for the moment of a request. */
  reveal(values: SecretValues): string {
    return this.name === undefined ? (this.#literal as string) : values.get(this.name);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** The resolved members of one source's secret. Holds them where no printer looks. */
export interface SecretValues {
  /** Throws a ConfigError that names the missing member. */
  get(name: string): string;
}
