import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openCliFolder } from "../../support/cli.ts";

const node = process.execPath;

/** The program is plain JavaScript, because no loader is active. */
const programFile = (code: string) => [node, "--input-type=module", "--eval", code];

describe("env", () => {
  it("env prints endpoint and keys, with which another program reads the tables after the command has ended", async () => {
    const { cli, folder } = await openCliFolder({
      "look.mjs": `
        const { AWS_ENDPOINT_URL_DYNAMODB: url, AWS_ACCESS_KEY_ID: key } = process.env;
        const headers = { authorization: "AWS4-HMAC-SHA256 Credential=" + key + "/" };
        console.log((await fetch(url, { headers })).status, (await fetch(url)).status);`,
    });
    const { code, stdout } = await cli(["env", "--data", "d"]);
    // The engine would stay for an hour.
    const { pid } = JSON.parse(readFileSync(join(folder, "d", "engine.json"), "utf8"));
    onTestFinished(() => void process.kill(pid));
    expect(code).toBe(0);
    const look = spawnSync("sh", ["-c", `eval "$PRINTED"; ${node} look.mjs`], {
      cwd: folder,
      env: { PRINTED: stdout, AWS_PROFILE: "somebody" },
      encoding: "utf8",
    });
    expect(look.stdout).toBe("200 403\n");
    expect(stdout).toMatch(/^unset AWS_SESSION_TOKEN AWS_PROFILE$/m);
    const { endpoint, environment } = (await cli(["env", "--data", "d", "--json"])).json();
    expect(stdout).toContain(`export AWS_ENDPOINT_URL_DYNAMODB='${endpoint}'\n`);
    expect(stdout).toContain(`export AWS_ACCESS_KEY_ID='${environment.AWS_ACCESS_KEY_ID}'\n`);
  });
});

describe("exec", () => {
  it("exec runs a program with the embedded engine in its environment", async () => {
    const { cli } = await openCliFolder({
      "look.mjs": `
        const { AWS_ENDPOINT_URL_DYNAMODB: url, TIDETABLE_STAGE, AWS_REGION, AWS_PROFILE } = process.env;
        const { AWS_ACCESS_KEY_ID: key } = process.env;
        const headers = { authorization: "AWS4-HMAC-SHA256 Credential=" + key + "/" };
        const { status } = await fetch(url, { headers });
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
