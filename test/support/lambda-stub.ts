import { onTestFinished } from "vitest";
import { openInvokeApi } from "../../packages/cli/src/lambda/invoke-api.ts";

export interface LambdaStub {
  endpoint: string;
  /** The invocations in their order. */
  invoked: { name: string; type: "Event" | "RequestResponse"; event: unknown }[];
}

/**
 * Serves Lambda's Invoke API with functions of this process, whose errors are answered as Lambda
 * answers them. Asynchronous events are tried once; the local Lambda service has retries.
 */
export async function openLambdaStub(
  functions: Record<string, (event: unknown) => unknown>,
  environment: Record<string, string> = {},
): Promise<LambdaStub> {
  const invoked: LambdaStub["invoked"] = [];
  const { endpoint, close } = await openInvokeApi((name) => {
    const handler = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (!handler) return undefined;
    const callHandler = async (type: "Event" | "RequestResponse", payload: string) => {
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
      environment,
      invoke: (_, payload) => callHandler("RequestResponse", payload),
      send: (_, payload) => void callHandler("Event", payload),
    };
  });
  onTestFinished(close);
  return { endpoint, invoked };
}
