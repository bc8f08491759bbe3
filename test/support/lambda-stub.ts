import { onTestFinished } from "vitest";
import { openInvokeApi } from "../../packages/local/src/lambda/invoke-api.ts";

export interface LambdaStub {
  endpoint: string;
  /** What was invoked, in this order. */
  invoked: { name: string; type: "Event" | "RequestResponse"; event: unknown }[];
}

/**
 * Lambda's Invoke API with functions of this process: what one throws is answered as Lambda answers
 * it. Asynchronous events are tried once. For what Lambda itself does there is the local service.
 */
export async function openLambdaStub(
  functions: Record<string, (event: unknown) => unknown>,
): Promise<LambdaStub> {
  const invoked: LambdaStub["invoked"] = [];
  const { endpoint, close } = await openInvokeApi((name) => {
    const handler = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (!handler) return undefined;
    const call = async (type: "Event" | "RequestResponse", payload: string) => {
      const event: unknown = JSON.parse(payload);
      invoked.push({ name, type, event });
      try {
        return { payload: JSON.stringify((await handler(event)) ?? null) };
      } catch (error) {
        const { name: errorType, message: errorMessage } = error as Error;
        return { payload: JSON.stringify({ errorType, errorMessage, trace: [] }), errorType };
      }
    };
    return {
      invoke: (_, payload) => call("RequestResponse", payload),
      send: (_, payload) => void call("Event", payload),
    };
  });
  onTestFinished(close);
  return { endpoint, invoked };
}
