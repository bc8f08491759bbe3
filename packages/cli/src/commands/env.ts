import type { Context } from "../base/options.ts";
import { openSession, replacedVariables } from "../session/session.ts";

/** The engine stays this long after its last request, because a shell holds no connection. */
const STAY_MS = 60 * 60_000;

/**
 * `env`: prints what other programs need to use the local tables, for `eval "$(… env)"`. The engine
 * then stays for an hour without a client. A new engine has another port and another key.
 */
export async function printEnvironment({ options, io }: Context): Promise<number> {
  const session = await openSession({ ...options, idleMs: STAY_MS });
  try {
    const { endpoint, environment = {} } = session;
    const lines = Object.entries(environment).map(
      ([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`,
    );
    io.stdout.write(
      options.json
        ? `${JSON.stringify({ endpoint, environment })}\n`
        : `${lines.join("")}unset ${replacedVariables.join(" ")}\n`,
    );
    return 0;
  } finally {
    await session.close();
  }
}
