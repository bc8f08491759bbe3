import { RequestError } from "../../base/errors.ts";
import type { ActionPlan } from "../../config/plan-types.ts";
import type { JsonValue } from "../../values/json.ts";
import { jsonText } from "../../values/json-text.ts";
import { parseJson } from "../../values/parse-json.ts";
import type { HttpResponse } from "./transport.ts";

/**
 * Runs the config's response_actions on an answer, before its status counts: an ignored answer is not
 * tried again, whatever its status. Returns the answer with the changes of the hooks.
 */
export function applyActions(
  response: HttpResponse,
  actions: readonly ActionPlan[],
): HttpResponse | "ignored" {
  const matching = actions.filter((action) => matchesAction(response, action));
  const hooks = matching.flatMap(({ run }) => (run === "ignore" ? [] : run));
  if (hooks.length === 0) return matching.length > 0 ? "ignored" : response;

  const { status, headers, body } = response;
  const hookInput = {
    status,
    headers: headers as Record<string, string>,
    body: parseBody(body),
  };
  for (const { run } of matching) {
    if (run === "ignore") return "ignored";
    for (const hook of run) callHook(hook, hookInput);
  }
  const text = typeof hookInput.body === "string" ? hookInput.body : jsonText(hookInput.body);
  return { status: hookInput.status, headers, body: Buffer.from(text) };
}

const matchesAction = (
  { status, body }: HttpResponse,
  { statusCode, content }: ActionPlan,
): boolean =>
  (statusCode === undefined || statusCode === status) &&
  (content === undefined || body.includes(content));

/** A body that is not JSON is passed to hooks as a string. */
function parseBody(body: Buffer): JsonValue {
  const text = body.toString();
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function callHook(hook: (response: never) => unknown, response: object): void {
  try {
    hook(response as never);
  } catch (error) {
    // The message of the hook's error may quote the answer.
    const name = error instanceof Error ? error.name : typeof error;
    throw new RequestError({
      code: "extract.action",
      message: `a function in response_actions threw ${name}`,
      hint: "correct the function in the source's file",
      retryable: false,
    });
  }
}
