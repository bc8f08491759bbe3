import { inspect } from "node:util";

/**
 * A reference to a credential, never the value: `dlt.secrets["api_key"]` names the member `api_key`
 * of the source's secret. Template strings keep the reference as `{secrets.api_key}`. Every other
 * output shows `[secret]`.
 */
export class Secret {
  /** The secret's member, if the reference consists of a single member and nothing else. */
  readonly name: string | undefined;
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
    const [first] = parts;
    this.name = parts.length === 1 && typeof first === "object" ? first.name : undefined;
  }

  static fromName(name: string): Secret {
    return new Secret([{ name }]);
  }

  /** Wraps a credential that a config holds in plain text. It works, with a warning, and is never printed. */
  static fromPlainText(text: string): Secret {
    return new Secret([text]);
  }

  /** Wraps a credential such as `Token ${dlt.secrets["key"]}`, or one in plain text. */
  static fromText(text: string): Secret {
    return new Secret(splitSecretText(text));
  }

  /** The members of the source's secret that the credential needs. */
  get names(): string[] {
    return this.#parts.flatMap((part) => (typeof part === "object" ? [part.name] : []));
  }

  /** Returns the value. Only `extract/auth/` calls this method, for the moment of a request. */
  reveal(values: Pick<SecretValues, "get">): string {
    return this.#parts
      .map((part) => (typeof part === "object" ? values.get(part.name) : part))
      .join("");
  }

  toString(): string {
    return this.name === undefined ? "[secret]" : `{secrets.${this.name}}`;
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** Plain text, or the name of a member of the source's secret. */
type Part = string | { name: string };

const reference = /\{secrets\.([^{}]+)\}/g;

/** Splits a string into references to members of the source's secret and the text between them. */
export function splitSecretText(text: string): Part[] {
  // Splitting by a pattern with a group gives text and names in turn.
  const parts = text
    .split(reference)
    .map((part, index) => (index % 2 === 0 ? part : { name: part }));
  return parts.filter((part) => part !== "");
}

/** The values of a source's secret. An object with `get` hides them from printers. */
export interface SecretValues {
  /** Throws a ConfigError that names a missing member. */
  get(name: string): string;
}
