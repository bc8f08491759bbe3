import { RequestError } from "../errors.ts";
import { isSecret } from "../redact.ts";

/** What a run goes on from is stored, and a credential is not: an API that makes one of it can not be read on. */
export function assertStorable(values: readonly unknown[], what: string): void {
  if (!values.some((one) => typeof one === "string" && isSecret(one))) return;
  throw new RequestError({
    code: "extract.echo",
    message: `${what} is a credential of this source, and would have to be stored`,
    hint: "name another field: the API repeats there what it was sent",
    retryable: false,
  });
}
