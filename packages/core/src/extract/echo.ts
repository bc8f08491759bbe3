import { RequestError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import { isSecret, isSecretPath } from "../secrets/redact.ts";

/** What a run goes on from is stored. An API that makes a credential of it, or a book, can not be read on. */
export function assertStorable(values: readonly unknown[], what: string): void {
  const texts = values.filter((one) => typeof one === "string");
  if (texts.some(isSecret)) throw echoed(what);
  if (texts.some(({ length }) => length > limits.storedCharacters)) {
    throw new RequestError({
      code: "extract.size",
      message: `${what} has more than ${limits.storedCharacters} characters, and would have to be stored`,
      hint: "check the paginator and cursor_path: do they name the right field?",
      retryable: false,
    });
  }
}

export function assertStorablePath(path: string): void {
  if (isSecretPath(path)) throw echoed("a part of the next link");
}

const echoed = (what: string) =>
  new RequestError({
    code: "extract.echo",
    message: `${what} is a credential of this source, and would have to be stored`,
    hint: "name another field: the API repeats there what it was sent",
    retryable: false,
  });
