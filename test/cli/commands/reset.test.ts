import { afterAll, beforeAll, expect, it } from "vitest";
import { main } from "../../../packages/cli/src/cli.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

/** Runs `reset ticketing/tickets` with a person's answer. */
async function runReset(answer: string, ...more: string[]) {
  const said = { stdout: "", question: "" };
  const argv = ["reset", "ticketing/tickets", "--dynamodb", engine.endpoint, ...more];
  const exit = await main(argv, {
    stdout: { write: (text) => (said.stdout += text) },
    stderr: { write: () => {} },
    env: {},
    cwd: process.cwd(),
    signal: new AbortController().signal,
    ask: async (question) => {
      said.question += question;
      return answer;
    },
  });
  return { exit, ...said };
}

it.each([
  ["y", 0],
  [" Yes\n", 0],
  ["", 1],
  ["n", 1],
  ["yesterday", 1],
])("reset with the answer %j ends with exit code %i", async (answer, code) => {
  const { exit, question, stdout } = await runReset(answer);
  expect(question).toBe("Forget the cursors and open runs of ticketing.tickets? [y/N] ");
  expect(exit).toBe(code);
  if (code === 1) expect(stdout).toBe("nothing was forgotten\n");
  else expect(stdout).toContain("1 of 1 resource reset: the next run reads everything");
});

it("reset names what will be lost, and does not ask with --yes", async () => {
  expect((await runReset("n", "--tables")).question).toContain(
    "and ALL ITEMS of ticketing.tickets",
  );
  expect(await runReset("n", "--yes")).toMatchObject({ exit: 0, question: "" });
});

it("a declined reset has the status cancelled in its document", async () => {
  const { exit, stdout } = await runReset("n", "--json");
  expect(exit).toBe(1);
  expect(JSON.parse(stdout)).toEqual({ status: "cancelled", resources: [] });
});
