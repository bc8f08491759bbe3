import { RequestError } from "../../base/errors.ts";
import type { ActionPlan } from "../../config/plan-types.ts";
import type { JsonValue } from "../../values/json.ts";
import { jsonText } from "../../values/json-text.ts";
import { parseJson } from "../../values/parse-json.ts";
import type { HttpResponse } from "./transport.ts";

/** The answer as the config's actions leave it, or that there is nothing in it to read. */
export type Acted = HttpResponse | "ignored";

/**
 * Does what the config says about answers like this one, before anything else looks at it: an answer
 * that is ignored is tried no more, whatever its status.
 */
export function act(response: HttpResponse, actions: readonly ActionPlan[]): Acted {
  const fitting = actions.filter((action) => fits(response, action));
  const hooks = fitting.flatMap(({ run }) => (run === "ignore" ? [] : run));
  if (hooks.length === 0) return fitting.length > 0 ? "ignored" : response;

  const { status, headers, body } = response;
  const shown = { status, headers: headers as Record<string, string>, body: valueIn(body) };
  for (const { run } of fitting) {
    if (run === "ignore") return "ignored";
    for (const hook of run) call(hook, shown);
  }
  const text = typeof shown.body === "string" ? shown.body : jsonText(shown.body);
  return { status: shown.status, headers, body: Buffer.from(text) };
}

const fits = ({ status, body }: HttpResponse, { statusCode, content }: ActionPlan): boolean =>
  (statusCode === undefined || statusCode === status) &&
  (content === undefined || body.includes(content));

/** What is not JSON is a text. */
function valueIn(body: Buffer): JsonValue {
  const text = body.toString();
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function call(hook: (response: never) => unknown, response: object): void {
  try {
    hook(response as never);
  } catch (error) {
    // Its message may quote the answer.
    const name = error instanceof Error ? error.name : typeof error;
    throw new RequestError({
      code: "extract.action",
      message: `a function in response_actions threw ${name}`,
      hint: "correct the function in the source's file",
      retryable: false,
    });
  }
}
