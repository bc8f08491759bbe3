import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { functionOf, isAlive, openService } from "./support.ts";

const echo = `export const handler = async (event) => ({ event });`;
const counting = `
  let calls = 0;
  export const handler = async ({ ms = 0 }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { pid: process.pid, calls: (calls += 1) };
  };
`;

describe("the real client", () => {
  test("the client gets the handler's answer, whatever its characters", async () => {
    const { invoke } = await openService(functionOf(echo));
    const output = await invoke({ name: "Zoë 潮", at: 1.5 });
    expect(output).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST" });
    expect(output.FunctionError).toBeUndefined();
    expect(output.answer).toEqual({ event: { name: "Zoë 潮", at: 1.5 } });
    expect(output.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("a missing event is an empty object, and a missing answer is null", async () => {
    const { invoke } = await openService([
      functionOf(echo),
      functionOf(`export const handler = async () => {};`, { name: "silent" }),
    ]);
    expect((await invoke({}, { Payload: new Uint8Array() })).answer).toEqual({ event: {} });
    expect((await invoke({}, { FunctionName: "silent" })).answer).toBeNull();
  });

  test("an error of the handler is a function error with its name, message and trace", async () => {
    const { invoke, lines } = await openService(
      functionOf(`export const handler = async () => { throw new RangeError("too far"); };`),
    );
    const output = await invoke();
    expect(output).toMatchObject({
      StatusCode: 200,
      FunctionError: "Unhandled",
      answer: { errorType: "RangeError", errorMessage: "too far" },
    });
    expect(output.answer.trace[1]).toMatch(/index\.mjs:1/);
    expect(lines.join("\n")).toContain('"errorMessage":"too far"');
  });

  test("a thrown string, and an error name that no header can carry, reach the client", async () => {
    const { invoke } = await openService(
      functionOf(`export const handler = async ({ name }) => {
        throw name ? Object.assign(new Error("named"), { name }) : "just text";
      };`),
    );
    expect((await invoke()).answer).toMatchObject({
      errorType: "string",
      errorMessage: "just text",
    });
    expect((await invoke({ name: "Überlauf\n" })).answer).toMatchObject({
      errorType: "Überlauf\n",
      errorMessage: "named",
    });
  });

  test("invoking a missing function is a ResourceNotFoundException", async () => {
    const { invoke } = await openService(functionOf(echo));
    await expect(invoke({}, { FunctionName: "nobody" })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Function not found: nobody",
    });
  });

  test("a payload that is not JSON is an InvalidRequestContentException", async () => {
    const { invoke } = await openService(functionOf(echo));
    for (const InvocationType of ["RequestResponse", "Event", "DryRun"] as const) {
      await expect(invoke({}, { InvocationType, Payload: "{" })).rejects.toMatchObject({
        name: "InvalidRequestContentException",
      });
    }
  });

  test("an event and an answer may have 6 MB, an asynchronous event 1 MB, and not a byte more", async () => {
    const { invoke, send } = await openService(
      functionOf(`export const handler = async (event) => event;`),
    );
    const text = (bytes: number) => "a".repeat(bytes - 2);
    const [sync, async] = [6 * 1024 * 1024, 1024 * 1024];
    expect((await invoke(text(sync))).answer).toHaveLength(sync - 2);
    expect((await send(text(async))).StatusCode).toBe(202);
    const tooLarge = { name: "RequestTooLargeException", $metadata: { httpStatusCode: 413 } };
    await expect(invoke(text(sync + 1))).rejects.toMatchObject(tooLarge);
    await expect(send(text(async + 1))).rejects.toMatchObject(tooLarge);
  });

  test("an answer of more than 6 MB is a function error", async () => {
    const { invoke } = await openService(
      functionOf(`export const handler = async () => "a".repeat(6 * 1024 * 1024 + 200);`),
    );
    expect(await invoke()).toMatchObject({
      FunctionError: "Unhandled",
      answer: { errorType: "Function.ResponseSizeTooLarge" },
    });
    expect((await invoke()).FunctionError).toBe("Unhandled");
  });

  test("a dry run does not run the function", async () => {
    const { invoke, lines, reports } = await openService(functionOf(`console.log("ran"); ${echo}`));
    expect((await invoke({}, { InvocationType: "DryRun" })).StatusCode).toBe(204);
    expect((await invoke()).StatusCode).toBe(200);
    expect(lines).toEqual(["ran"]);
    expect(reports).toHaveLength(1);
  });
});

describe("processes", () => {
  test("invocations one after another share a warm process", async () => {
    const { invoke, reports } = await openService(functionOf(counting));
    const first = (await invoke()).answer;
    for (let calls = 2; calls <= 10; calls += 1) {
      expect((await invoke()).answer).toEqual({ pid: first.pid, calls });
    }
    expect(reports[0]?.initMs).toBeGreaterThan(0);
    expect(reports.slice(1).map(({ initMs }) => initMs)).toEqual(Array(9).fill(undefined));
  });

  test("invocations at the same time have a process each", async () => {
    const { invoke } = await openService(functionOf(counting));
    const answers = await Promise.all([1, 2, 3].map(() => invoke({ ms: 1_500 })));
    expect(new Set(answers.map(({ answer }) => answer.pid)).size).toBe(3);
  });

  test("an invocation beyond the reserved concurrency is a TooManyRequestsException", async () => {
    const { invoke } = await openService(functionOf(counting, { reservedConcurrency: 2 }));
    const results = await Promise.allSettled([1, 2, 3].map(() => invoke({ ms: 1_000 })));
    const refused = results.filter(({ status }) => status === "rejected");
    expect(refused).toMatchObject([
      { reason: { name: "TooManyRequestsException", $metadata: { httpStatusCode: 429 } } },
    ]);
    expect((await invoke()).answer.calls).toBe(2);
  });

  test("a function invokes 20 others through the service, and all of them run at once", async () => {
    // Every invocation waits until the last has begun.
    const others = `
      import { readdirSync, writeFileSync } from "node:fs";
      export const handler = async ({ folder, n }) => {
        writeFileSync(folder + "/" + n, "");
        while (readdirSync(folder).length < 20) await new Promise((go) => setTimeout(go, 50));
        console.log("worker " + n + " of " + process.pid);
      };
    `;
    const worker = functionOf(others, { timeoutMs: 60_000 });
    const fanOut = functionOf(
      `export const handler = async ({ folder }) => {
        const url = process.env.AWS_ENDPOINT_URL_LAMBDA + "/2015-03-31/functions/worker/invocations";
        const headers = { "x-amz-invocation-type": "Event" };
        const calls = Array.from({ length: 20 }, (_, n) =>
          fetch(url, { method: "POST", headers, body: JSON.stringify({ folder, n }) }));
        return (await Promise.all(calls)).map(({ status }) => status);
      };`,
      { name: "schedule" },
    );
    const folder = join(worker.folder, "signals");
    mkdirSync(folder);
    const { lambda, invoke, lines } = await openService([worker, fanOut]);
    const { answer } = await invoke({ folder }, { FunctionName: "schedule" });
    expect(answer).toEqual(Array(20).fill(202));
    await lambda.waitUntilIdle();
    const pids = lines.map((line) => /^worker \d+ of (\d+)$/.exec(line)?.[1]);
    expect(new Set(pids).size).toBe(20);
    expect(pids).not.toContain(undefined);
    expect(lambda.failures).toEqual([]);
  }, 90_000);

  test("close() ends every process, whether it is working, idle or starting", async () => {
    const code = `
      console.log("pid " + process.pid);
      export const handler = ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms));
    `;
    const starting = `console.log("pid " + process.pid); await new Promise((resolve) => setTimeout(resolve, 60_000));`;
    const { lambda, invoke, send, lines } = await openService([
      functionOf(code, { retries: 0 }),
      functionOf(starting, { name: "starting" }),
    ]);
    const works = invoke({ ms: 60_000 }).catch((error: Error) => error);
    await Promise.all([invoke({ ms: 1_000 }), send({ ms: 60_000 })]);
    await send({}, { FunctionName: "starting" });
    await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(4);
    const pids = lines.map((line) => Number(line.split(" ")[1]));
    expect(pids.map(isAlive)).toEqual([true, true, true, true]);
    await lambda.close();
    expect(pids.map(isAlive)).toEqual([false, false, false, false]);
    expect(await works).toBeInstanceOf(Error);
    expect(lambda.failures).toEqual([]);
  });

  test("close() ends an invocation that is only about to start a process", async () => {
    const { lambda, invoke, send, lines } = await openService(
      functionOf(`console.log("pid " + process.pid); export const handler = () => {};`),
    );
    const calls = [invoke().catch(() => {}), send({})];
    await calls[1];
    await lambda.close();
    await Promise.all(calls);
    for (const line of lines) expect(isAlive(Number(line.split(" ")[1]))).toBe(false);
    await expect(invoke()).rejects.toThrow(/ECONNREFUSED/);
  });

  test("with a limit of processes, starts wait for their turn, and an idle process makes room", async () => {
    const { invoke, send, lambda, reports } = await openService(
      [functionOf(counting, { timeoutMs: 2_000 }), functionOf(counting, { name: "other" })],
      { maxProcesses: 2 },
    );
    // The total exceeds the time-out, but waiting does not count.
    for (let n = 0; n < 6; n += 1) await send({ ms: 800 });
    await lambda.waitUntilIdle();
    expect(reports.map(({ errorType }) => errorType)).toEqual(Array(6).fill(undefined));
    expect(reports.filter(({ initMs }) => initMs !== undefined)).toHaveLength(2);
    expect((await invoke({}, { FunctionName: "other" })).answer.calls).toBe(1);
    const [first, second] = await Promise.all([invoke({ ms: 500 }), invoke({ ms: 500 })]);
    // A single old process remains.
    expect(Math.min(first.answer.calls, second.answer.calls)).toBe(1);
    expect(Math.max(first.answer.calls, second.answer.calls)).toBeGreaterThan(1);
  });
});
