import { inspect } from "node:util";

/**
 * A reference to a credential, never the value: `dlt.secrets["api_key"]` names the member
 * `api_key` of the source's secret. Inside of a text it reads `{secrets.api_key}`, which is how the
 * text keeps the reference; wherever else it is printed it reads `[secret]`.
 */
export class Secret {
  /** The member of the source's secret that this is, alone and as a whole. */
  readonly name: string | undefined;
  /** Texts, and the names of members between them. */
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
    const [only, ...rest] = parts;
    this.name = typeof only === "object" && rest.length === 0 ? only.name : undefined;
  }

  static fromName(name: string): Secret {
    return new Secret([{ name }]);
  }

  /** A credential written into the config as plain text: it runs, with a warning, and stays unprinted. */
  static fromPlainText(text: string): Secret {
    return new Secret([text]);
  }

  /**
   * A credential with references in it, such as `Token ${dlt.secrets["key"]}`; without any, one in
   * plain text.
   */
  static fromText(text: string): Secret {
    return new Secret(splitSecretText(text));
  }

  /** The members of the source's secret that it takes. */
  get names(): string[] {
    return this.#parts.flatMap((part) => (typeof part === "object" ? [part.name] : []));
  }

  /** The one way to the value. Only `extract/auth.ts` calls it, for the moment of a request. */
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

type Part = string | { name: string };

const reference = /\{secrets\.([^{}]+)\}/g;

/** A text's references to members of the source's secret, and the texts between them. */
export function splitSecretText(text: string): Part[] {
  // Splitting by a pattern with a group gives texts and names in turn.
  const parts = text.split(reference).map((part, i) => (i % 2 === 0 ? part : { name: part }));
  return parts.filter((part) => part !== "");
}

/** The resolved members of one source's secret. Holds them where no printer looks. */
export interface SecretValues {
  /** Throws a ConfigError that names the missing member. */
  get(name: string): string;
}
