import { RequestError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { hasHiddenSegment, isHiddenValue } from "../secrets/redact.ts";
import { emptySecretParams } from "./auth/sealed.ts";
import type { FilledRequest } from "./fill-request.ts";
import type { PageRequest } from "./paging/page-request.ts";

/*
 * The checkpoint stores the next request and the cursor. Where the API puts a credential or far too
 * many characters into either, reading stops with an error.
 */

/** `subject` names the values in the error. */
export function assertStorable(values: readonly unknown[], subject: string): void {
  const strings = values.filter((value) => typeof value === "string");
  if (strings.some(isHiddenValue)) throw echoError(subject);
  if (strings.some(({ length }) => length > limits.storedCharacters)) {
    throw new RequestError({
      code: "extract.size",
      message: `${subject} has more than ${limits.storedCharacters} characters, and would have to be stored`,
      hint: "check the paginator and cursor_path: do they name the right field?",
      retryable: false,
    });
  }
}

/** The request for the next page, fit for a checkpoint: links lose the secrets that the API repeats. */
export function storableRequest(
  next: PageRequest,
  { auth }: Pick<ResourcePlan, "auth">,
  { params }: Pick<FilledRequest, "params">,
  configuredUrl: (url: string) => string,
): PageRequest {
  assertStorable(Object.values({ ...next.params, ...next.body }), "what leads to the next page");
  if (next.url === undefined) return next;
  const url = new URL(configuredUrl(next.url));
  // The user name of http_basic counts as a secret, and may well stand in a path.
  if (auth?.type !== "http_basic" && hasHiddenSegment(url.pathname)) {
    throw echoError("a part of the next link");
  }
  const keyName = auth?.type === "api_key" && auth.location === "query" ? auth.name : undefined;
  for (const [name, value] of [...url.searchParams]) {
    // Some APIs repeat a header's key under another name, for instance `?token=`.
    const isEcho = name === keyName || (isHiddenValue(value) && !Object.hasOwn(params, name));
    if (isEcho) url.searchParams.delete(name);
  }
  emptySecretParams(url, params);
  Object.assign(url, { username: "", password: "", hash: "" });
  return { ...next, url: url.href };
}

const echoError = (subject: string) =>
  new RequestError({
    code: "extract.echo",
    message: `${subject} is a credential of this source, and would have to be stored`,
    hint: "name another field: the API repeats there what it was sent",
    retryable: false,
  });
