import { stateTable } from "@tidetable/core/internal";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openApi } from "../../support/api.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";
import { openLambdaStub } from "../../support/lambda-stub.ts";
import { pointAws, runCommand } from "../../support/stage.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

/** Opens a DynamoDB that refuses every request. */
async function openRefusingDynamodb(type: string, message: string) {
  const { url } = await openApi(() => ({
    status: 400,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: JSON.stringify({ __type: `com.amazon.coral.service#${type}`, message }),
  }));
  pointAws({ DYNAMODB: url });
}

/** Runs a command that fails, and returns the line on stderr. The document has the same problem. */
async function refusalLine(...argv: string[]): Promise<string> {
  const line = await runCommand([...argv, "--stage", "dev"]);
  expect({ exit: line.exit, stdout: line.stdout }).toEqual({ exit: 2, stdout: "" });
  const json = await runCommand([...argv, "--stage", "dev", "--json"]);
  expect(json.exit).toBe(2);
  const { status, problems } = JSON.parse(json.stdout);
  expect(status).toBe("invalid");
  const [{ path, message, hint }] = problems;
  expect(line.stderr).toBe(`${path}: ${message}; ${hint}\n`);
  return line.stderr;
}

const commands = [
  ["run", "ticketing"],
  ["check", "ticketing"],
  ["status"],
  ["state", "ticketing"],
  ["items", "ticketing/tickets"],
  ["quarantine", "list"],
  ["quarantine", "replay", "ticketing/tickets"],
  ["reset", "ticketing", "--yes"],
];

describe("a stage that cannot be reached", () => {
  it.each(
    commands,
  )("%s %s ends with exit code 2 and a hint if the stage is not deployed", async (...argv) => {
    pointAws({ DYNAMODB: engine.endpoint });
    expect(await refusalLine(...argv)).toBe(
      "stage dev: there is no table tidetable-dev-state; deploy it: npx sst deploy --stage dev; or look at AWS_PROFILE and AWS_REGION\n",
    );
  });

  it("a missing region is one line that names AWS_REGION", async () => {
    pointAws({ DYNAMODB: engine.endpoint });
    for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION"]) vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
    expect(await refusalLine("status")).toMatch(
      /^stage dev: no AWS region is set; set AWS_REGION to /,
    );
  });

  it("missing credentials are one line that says how to sign in", async () => {
    pointAws({ DYNAMODB: engine.endpoint });
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, undefined);
    for (const name of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) {
      vi.stubEnv(name, "/dev/null");
    }
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    expect(await refusalLine("status")).toMatch(
      /^stage dev: there are no AWS credentials; sign in \(aws sso login\)/,
    );
  });

  it.each([
    ["ExpiredTokenException", "stage dev: the AWS credentials have expired; sign in again"],
    ["UnrecognizedClientException", "stage dev: AWS does not know these credentials; look at"],
    ["InvalidSignatureException", "stage dev: AWS does not know these credentials; look at"],
  ])("AWS's error %s is explained in one line", async (type, line) => {
    await openRefusingDynamodb(type, "The security token included in the request is …");
    expect(await refusalLine("status")).toContain(line);
  });

  it("a denied action is reported in AWS's words, which name the action", async () => {
    const message = "User: arn:aws:iam::1:user/me is not authorized to perform: dynamodb:Describe";
    await openRefusingDynamodb("AccessDeniedException", message);
    expect(await refusalLine("status")).toBe(
      `stage dev: ${message}; use credentials that are allowed to do this, or have it allowed\n`,
    );
  });

  it("a missing function is one line that says how to deploy", async () => {
    await engine.createTables({ "tidetable-half-state": stateTable });
    const { endpoint } = await openLambdaStub({});
    pointAws({ DYNAMODB: engine.endpoint, LAMBDA: endpoint });
    const { exit, stderr } = await runCommand(["run", "ticketing", "--stage", "half"]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^stage half: there is no function tidetable-half-schedule; deploy it/);
  });
});

describe("--stage beside local options", () => {
  it.each([
    ["--data", "x"],
    ["--dynamodb", "http://127.0.0.1:1"],
    ["--secrets", "x.json"],
    ["--name", "x"],
  ])("--stage and %s %s exclude each other", async (...option) => {
    const { exit, stderr } = await runCommand(["status", "--stage", "dev", ...option]);
    expect(exit).toBe(2);
    expect(stderr).toContain(`'--stage <stage>' cannot be used with option '${option[0]} <`);
  });

  it("--stage and --lambda exclude each other", async () => {
    const { exit, stderr } = await runCommand(["run", "--stage", "dev", "--lambda"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("'--stage <stage>' cannot be used with option '--lambda'");
  });

  it("a command with --stage leaves the person's credentials unchanged", async () => {
    pointAws({ DYNAMODB: engine.endpoint });
    await runCommand(["status", "--stage", "dev"]);
    expect(process.env.AWS_ACCESS_KEY_ID).toBe("test");
    expect(process.env.TIDETABLE_STAGE).toBeUndefined();
  });
});
