import { describe, expect, it, vi } from "vitest";
import { openCliFolder } from "../../support/cli.ts";

const node = process.execPath;

/** The program is plain JavaScript, because no loader is active. */
const programFile = (code: string) => [node, "--input-type=module", "--eval", code];

describe("exec", () => {
  it("exec runs a program with the embedded engine in its environment", async () => {
    const { cli } = await openCliFolder({
      "look.mjs": `
        const { AWS_ENDPOINT_URL_DYNAMODB: url, TIDETABLE_STAGE, AWS_REGION, AWS_PROFILE } = process.env;
        const { status } = await fetch(url);
        const args = process.argv.slice(2);
        console.log(JSON.stringify({ url, status, TIDETABLE_STAGE, AWS_REGION, AWS_PROFILE, args }));
        console.error("said aside");`,
    });
    const look = (...args: string[]) =>
      cli(["exec", "--data", "d", "--", node, "look.mjs", ...args], { AWS_PROFILE: "somebody" });
    const first = await look("--json", "-x");
    expect(first).toMatchObject({ code: 0, stderr: "said aside\n" });
    expect(first.json()).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      status: 200,
      TIDETABLE_STAGE: "local",
      AWS_REGION: "us-east-1",
      args: ["--json", "-x"],
    });
    // Further commands find the same engine.
    expect((await look()).json().url).toBe(first.json().url);
  });

  it("exec ends with the program's exit code", async () => {
    const { cli } = await openCliFolder();
    expect((await cli(["exec", "--", ...programFile("process.exit(7)")])).code).toBe(7);
    const killed = await cli([
      "exec",
      "--",
      ...programFile('process.kill(process.pid, "SIGKILL")'),
    ]);
    expect(killed.code).toBe(137);
  });

  it.each([
    "SIGINT",
    "SIGTERM",
    "SIGHUP",
  ] as const)("exec forwards %s to the program and waits for its end", async (signal) => {
    const { start } = await openCliFolder();
    const { child, ended } = start([
      "exec",
      "--",
      ...programFile(`
        process.once("${signal}", () => setTimeout(() => { console.log("cleaned up"); process.exit(3); }, 200));
        setInterval(() => {}, 1000);
        console.log("ready");
      `),
    ]);
    let output = "";
    child.stdout?.on("data", (text) => {
      output += text;
    });
    await vi.waitFor(() => expect(output).toBe("ready\n"), { timeout: 20_000 });
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 3, stdout: "ready\ncleaned up\n" });
  });

  it("exec names the reason when a program cannot be started", async () => {
    const { cli } = await openCliFolder();
    const { code, stderr } = await cli(["exec", "--", "no-such-program"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^no-such-program: it cannot be started \(ENOENT\); name a program/);
    expect((await cli(["exec"])).stderr).toContain("missing required argument 'command'");
  });
});
