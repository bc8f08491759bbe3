import { spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { functionOf, isAlive, openService } from "./support.ts";

const service = new URL("../../../packages/cli/src/lambda/service.ts", import.meta.url).href;

describe("a handler", () => {
  test("a handler gets the context, with its remaining time", async () => {
    const { invoke, reports } = await openService(
      functionOf(
        `export const handler = async (_, context) => {
          const left = context.getRemainingTimeInMillis();
          await new Promise((resolve) => setTimeout(resolve, 300));
          return { ...context, left, later: context.getRemainingTimeInMillis() };
        };`,
        { timeoutMs: 5_000 },
      ),
    );
    const { answer, $metadata } = await invoke();
    expect(answer).toMatchObject({
      functionName: "worker",
      functionVersion: "$LATEST",
      memoryLimitInMB: "256",
      awsRequestId: $metadata.requestId,
      invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:worker",
      logGroupName: "/aws/lambda/worker",
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
    });
    expect(answer.left).toBeGreaterThan(4_000);
    expect(answer.left).toBeLessThanOrEqual(5_000);
    expect(answer.left - answer.later).toBeGreaterThanOrEqual(290);
    expect(reports).toMatchObject([
      { functionName: "worker", requestId: answer.awsRequestId, durationMs: expect.any(Number) },
    ]);
    expect(reports[0]?.durationMs).toBeGreaterThanOrEqual(290);
  });

  test("a handler sees only Lambda's and the function's variables, and not the developer's", async () => {
    vi.stubEnv("TIDETABLE_SECRET_API_KEY", "hunter2");
    vi.stubEnv("NODE_OPTIONS", "--no-warnings");
    const { lambda, invoke } = await openService(
      functionOf(
        `import { homedir } from "node:os";
        export const handler = async () => ({ env: process.env, home: homedir(), cwd: process.cwd() });`,
        { environment: { TIDETABLE_STAGE: "test", AWS_REGION: "eu-central-1" } },
      ),
    );
    const { env, home, cwd } = (await invoke()).answer;
    expect(env).toMatchObject({
      TIDETABLE_STAGE: "test",
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
      AWS_LAMBDA_FUNCTION_NAME: "worker",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_LAMBDA_RUNTIME_API: expect.stringMatching(/^127\.0\.0\.1:\d+\/[0-9a-f]{40}$/),
      TZ: ":UTC",
      _HANDLER: "index.handler",
      LAMBDA_TASK_ROOT: cwd,
    });
    const others =
      /^(AWS_|LAMBDA_TASK_ROOT$|_HANDLER$|TZ$|LANG$|HOME$|TIDETABLE_STAGE$|SystemRoot$)/;
    // macOS adds the variable by itself.
    const names = Object.keys(env).filter((name) => name !== "__CF_USER_TEXT_ENCODING");
    expect(names.filter((name) => !others.test(name))).toEqual([]);
    expect(home).not.toBe(homedir());
  });

  test("a handler's output arrives line by line, before the end of the invocation", async () => {
    const { invoke, lines } = await openService(
      functionOf(`
        console.log("at start");
        export const handler = async ({ n }) => {
          for (let line = 0; line < 500; line += 1) console.log(n + " out " + line);
          console.error(n + " err");
          process.stdout.write(n + " no newline");
        };
      `),
    );
    await invoke({ n: 1 });
    expect(lines[0]).toBe("at start");
    expect(lines).toContain("1 err");
    expect(lines.filter((line) => line.startsWith("1 out"))).toHaveLength(500);
    await invoke({ n: 2 });
    expect(lines).toContain("1 no newline2 out 0");
  });

  test("each of five invocations of a warm process has its own deadline", async () => {
    const { invoke } = await openService(
      functionOf(
        `export const handler = async (_, context) => {
          const atFirst = context.getRemainingTimeInMillis();
          while (context.getRemainingTimeInMillis() > 1_000) {
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          return { pid: process.pid, atFirst, atLast: context.getRemainingTimeInMillis() };
        };`,
        { timeoutMs: 1_800 },
      ),
    );
    const pids = new Set<number>();
    for (let slice = 0; slice < 5; slice += 1) {
      const { pid, atFirst, atLast } = (await invoke()).answer;
      pids.add(pid);
      expect(atFirst).toBeGreaterThan(1_000);
      expect(atFirst).toBeLessThanOrEqual(1_800);
      expect(atLast).toBeLessThanOrEqual(1_000);
    }
    expect(pids.size).toBe(1);
  });
});

describe("an invocation that fails", () => {
  /** Invokes a failing function, and again without the failure in a new process. */
  async function invokeFailing(code: string, options: Parameters<typeof functionOf>[1] = {}) {
    const { invoke, reports, lines } = await openService(functionOf(code, options));
    const { FunctionError, answer, $metadata } = await invoke({ fail: true });
    expect(FunctionError).toBe("Unhandled");
    expect(reports).toMatchObject([{ errorType: answer.errorType }]);
    const again = await invoke({ fail: false });
    return { answer, requestId: $metadata.requestId, again, lines, reports };
  }
  const handlerCode = (body: string) => `
    let calls = 0;
    export const handler = async ({ fail }) => { calls += 1; if (fail) { ${body} } return calls; };
  `;

  test("a time-out kills the process, whether it waits or is busy", async () => {
    for (const body of ["await new Promise((r) => setTimeout(r, 60_000))", "for (;;);"]) {
      const { answer, requestId, again, reports } = await invokeFailing(handlerCode(body), {
        timeoutMs: 1_000,
      });
      expect(answer).toEqual({
        errorType: "Sandbox.Timedout",
        errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
      });
      expect(again.answer).toBe(1);
      expect(reports[0]?.durationMs).toBeGreaterThanOrEqual(990);
      expect(reports[1]?.initMs).toBeGreaterThan(0);
    }
  });

  test("a function's time-out begins with its handler and does not include a slow start", async () => {
    const slow = `await new Promise((r) => setTimeout(r, 1_500));`;
    const { invoke } = await openService(
      functionOf(
        `${slow} export const handler = async (_, context) => context.getRemainingTimeInMillis();`,
        { timeoutMs: 1_000 },
      ),
    );
    expect((await invoke()).answer).toBeGreaterThan(0);
  });

  test("a start that does not end is a time-out", async () => {
    const { invoke } = await openService(
      functionOf(`await new Promise((r) => setTimeout(r, 60_000)); export const handler = 1;`),
      { initTimeoutMs: 1_000 },
    );
    expect((await invoke()).answer).toMatchObject({
      errorType: "Sandbox.Timedout",
      errorMessage: expect.stringMatching(/Task timed out after 1\.00 seconds$/),
    });
  });

  test.each([
    ["process.exit(3)", "Runtime exited with error: exit status 3"],
    ["process.exit(0)", "Runtime exited without providing a reason"],
    ["await new Promise(() => {})", "Runtime exited without providing a reason"],
    ["process.kill(process.pid, 'SIGKILL')", "Runtime exited with error: signal: killed"],
  ])("the exit of a process is a Runtime.ExitError: %s", async (body, message) => {
    const { answer, requestId, again } = await invokeFailing(handlerCode(body));
    expect(answer).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: `RequestId: ${requestId} Error: ${message}`,
    });
    expect(again.answer).toBe(1);
  });

  test("objects beyond the function's memory are a Runtime.ExitError", async () => {
    const { answer, again } = await invokeFailing(
      handlerCode("const all = []; for (;;) all.push({ n: all.length });"),
      { memoryMb: 128 },
    );
    expect(answer).toMatchObject({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/signal: (killed|aborted)$/),
    });
    expect(again.answer).toBe(1);
  });

  test.runIf(process.platform === "linux")(
    "buffers beyond the function's memory, which are outside the heap, are a Runtime.ExitError",
    async () => {
      const { answer } = await invokeFailing(
        handlerCode("Buffer.alloc(300e6, 1); await new Promise((r) => setTimeout(r, 60_000));"),
        { memoryMb: 256 },
      );
      expect(answer).toMatchObject({
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringMatching(/signal: killed$/),
      });
    },
  );

  test("an uncaught error is reported, and its process is not used again", async () => {
    const thrown = await invokeFailing(
      handlerCode(`setTimeout(() => { throw new RangeError("later"); });
        await new Promise((r) => setTimeout(r, 60_000));`),
    );
    expect(thrown.answer).toMatchObject({ errorType: "RangeError", errorMessage: "later" });
    expect(thrown.again.answer).toBe(1);
    const rejected = await invokeFailing(
      handlerCode(`Promise.reject(new Error("forgotten"));
        await new Promise((r) => setTimeout(r, 60_000));`),
    );
    expect(rejected.answer).toMatchObject({
      errorType: "Runtime.UnhandledPromiseRejection",
      errorMessage: "forgotten",
    });
    expect(rejected.again.answer).toBe(1);
  });

  test("an answer counts even if the process exits before it asks for another event", async () => {
    // A runtime that exits after a single event.
    const { folder, ...worker } = functionOf(`
      const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2018-06-01/runtime/invocation/";
      const event = await fetch(api + "next");
      const id = event.headers.get("lambda-runtime-aws-request-id");
      await fetch(api + id + "/response", { method: "POST", body: JSON.stringify(process.argv[2]) });
      process.exit(1);
    `);
    const { invoke } = await openService(
      { folder, ...worker },
      { bootstrap: join(folder, "index.mjs") },
    );
    for (let n = 0; n < 2; n += 1) {
      const { answer, FunctionError } = await invoke();
      expect({ answer, FunctionError }).toEqual({ answer: "index.handler" });
    }
  });

  test.each([
    ["export const other = 1;", {}, "Runtime.HandlerNotFound", /^index\.handler is undefined or/],
    ["", { handler: "none.handler" }, "Runtime.ImportModuleError", /^Cannot find module 'none'$/],
    ["throw new RangeError('at start');", {}, "RangeError", /^at start$/],
    ["process.exit(4);", {}, "Runtime.ExitError", /exit status 4$/],
    ["export const handler = ;", {}, "SyntaxError", /Unexpected token/],
  ])("code that cannot start is reported: %s", async (code, options, errorType, message) => {
    const { answer, again } = await invokeFailing(code, options);
    expect(answer).toMatchObject({ errorType, errorMessage: expect.stringMatching(message) });
    expect(again.answer.errorType).toBe(errorType);
  });

  test("a missing Node binary is reported", async () => {
    const { invoke } = await openService(functionOf(""), { node: join(homedir(), "no-node") });
    expect((await invoke()).answer).toMatchObject({
      errorType: "Runtime.InvalidEntrypoint",
      errorMessage: expect.stringContaining("ENOENT"),
    });
  });
});

test("a service that is killed leaves no process", async () => {
  const worker = functionOf(`
    export const handler = () => {
      console.log("pid " + process.pid);
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    };
  `);
  const script = `
    const { openLambda } = await import(${JSON.stringify(service)});
    const { endpoint } = await openLambda({
      functions: [${JSON.stringify(worker)}],
      onLog: (_, line) => console.log(line),
    });
    fetch(endpoint + "/2015-03-31/functions/worker/invocations", { method: "POST" });
  `;
  const cwd = fileURLToPath(new URL("../../..", import.meta.url));
  const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    cwd,
  });
  const [line] = await once(parent.stdout, "data");
  const pid = Number(/pid (\d+)/.exec(String(line))?.[1]);
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
});
