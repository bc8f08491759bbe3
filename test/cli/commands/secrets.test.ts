import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Io } from "../../../packages/cli/src/base/io.ts";
import { openCliFolder } from "../../support/cli.ts";
import { openSecretsManager } from "../../support/secrets-manager.ts";
import { pointAws, runCommand } from "../../support/stage.ts";

const canaries = { id: "canary-id-51c0", secret: "canary-secret-88fe", old: "canary-old-07aa" };

let folder: string;
beforeEach(async () => {
  ({ folder } = await openCliFolder());
});

/** Runs `secrets set` with a person's answers, or with piped input. */
async function runSet(argv: string[], given: { answers?: string[]; input?: string }) {
  const questions: string[] = [];
  const answers = [...(given.answers ?? [])];
  const io: Partial<Io> = given.answers
    ? {
        ask: async (question, options) => {
          // Every answer has to be hidden.
          questions.push(options?.hidden ? question : `VISIBLE ${question}`);
          return answers.shift() ?? "";
        },
      }
    : { input: async () => given.input ?? "" };
  const ended = await runCommand(["secrets", "set", ...argv], { cwd: folder, ...io });
  for (const value of Object.values(canaries)) {
    expect(ended.stdout + ended.stderr + questions.join()).not.toContain(value);
  }
  return { ...ended, questions };
}

describe("on this machine", () => {
  const secretsFile = (source: string, data = ".tidetable") =>
    join(folder, data, "secrets", `${source}.json`);
  const readSecrets = async (path: string) => JSON.parse(await readFile(path, "utf8"));

  it("secrets set asks for each credential that the source refers to, and writes them to a file", async () => {
    const { exit, stdout, questions } = await runSet(["support"], {
      answers: [canaries.id, canaries.secret],
    });
    expect(exit).toBe(0);
    expect(questions).toEqual(["client_id: ", "client_secret: "]);
    expect(await readSecrets(secretsFile("support"))).toEqual({
      client_id: canaries.id,
      client_secret: canaries.secret,
    });
    expect(stdout).toBe(`${secretsFile("support")}: client_id, client_secret set\n`);
    // No draft stays behind.
    expect(await readdir(dirname(secretsFile("support")))).toEqual(["support.json"]);
  });

  it("secrets set takes a credential of 64 KB and shows none of it", async () => {
    const long = Array.from({ length: 9000 }, (_, index) => `${index}(+`)
      .join("")
      .slice(0, 60_000);
    const { exit, stdout, stderr } = await runSet(["support"], { answers: [canaries.id, long] });
    expect(exit).toBe(0);
    expect(stdout + stderr).not.toContain(long.slice(100, 120));
    expect((await readSecrets(secretsFile("support"))).client_secret).toBe(long);
  });

  it.skipIf(process.platform === "win32")(
    "secrets set writes a file that only its owner can read",
    async () => {
      await mkdir(dirname(secretsFile("support")), { recursive: true });
      await writeFile(secretsFile("support"), "{}");
      await chmod(secretsFile("support"), 0o644);
      await runSet(["support"], { answers: [canaries.id, canaries.secret] });
      expect((await stat(secretsFile("support"))).mode & 0o777).toBe(0o600);
    },
  );

  it("an empty answer to secrets set keeps the value, so that a single credential can be rotated", async () => {
    await runSet(["support"], { answers: [canaries.id, canaries.old] });
    const { exit, stdout, questions } = await runSet(["support"], {
      answers: ["", canaries.secret],
    });
    expect(exit).toBe(0);
    expect(questions[0]).toBe("client_id (Enter keeps the present value): ");
    expect(await readSecrets(secretsFile("support"))).toEqual({
      client_id: canaries.id,
      client_secret: canaries.secret,
    });
    expect(stdout).toBe(`${secretsFile("support")}: client_secret set; client_id kept\n`);
  });

  it("an empty answer to secrets set without a present value is an error, and nothing is written", async () => {
    const { exit, stderr } = await runSet(["support"], { answers: [canaries.id, ""] });
    expect(exit).toBe(2);
    expect(stderr).toBe("secrets.client_secret: it has no value yet, and needs one\n");
    await expect(stat(secretsFile("support"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("Ctrl-C at a question of secrets set changes nothing", async () => {
    const stop = new AbortController();
    const { exit } = await runCommand(["secrets", "set", "support"], {
      cwd: folder,
      signal: stop.signal,
      ask: async () => {
        stop.abort(new Error("interrupted by SIGINT"));
        return "";
      },
    });
    expect(exit).toBe(130);
    await expect(stat(secretsFile("support"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("secrets set reads a JSON object from standard input, and --data names the folder", async () => {
    const input = JSON.stringify({ client_id: canaries.id, client_secret: canaries.secret });
    const { exit, stdout } = await runSet(["support", "--data", "here", "--json"], { input });
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      status: "succeeded",
      source: "support",
      place: secretsFile("support", "here"),
      set: ["client_id", "client_secret"],
      kept: [],
    });
    expect(await readSecrets(secretsFile("support", "here"))).toEqual(JSON.parse(input));
  });

  it.each([
    ["", /^standard input: there is no JSON object of secret values;/],
    [canaries.secret, /^standard input: there is no JSON object of secret values;/],
    [`["${canaries.secret}"]`, /^standard input: there is no JSON object/],
    [
      JSON.stringify({ client_idd: canaries.id, client_secret: 5 }),
      /^secrets\.client_idd: the source does not refer to it; did you mean client_id\?\nsecrets\.client_secret: it is not a string; quote it\n$/,
    ],
    [
      JSON.stringify({ client_id: "", client_secret: canaries.secret }),
      /^secrets\.client_id: it is empty\n$/,
    ],
    [
      JSON.stringify({ client_secret: canaries.secret }),
      /^secrets\.client_id: it has no value yet, and needs one\n$/,
    ],
  ])("secrets set refuses the input %j", async (input, lines) => {
    const { exit, stderr } = await runSet(["support"], { input });
    expect(exit).toBe(2);
    expect(stderr).toMatch(lines);
    await expect(stat(secretsFile("support"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("secrets set reports that a source refers to no secrets", async () => {
    const open = { client: { base_url: "https://example.com" }, resources: ["deals"] };
    await writeFile(join(folder, "open.json"), JSON.stringify(open));
    const { exit, stdout } = await runSet(["open.json"], { answers: [] });
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: "open refers to no secrets: there is nothing to set\n",
    });
  });

  it("the program secrets set takes values only from its standard input", async () => {
    const { cli } = await openCliFolder();
    const { code, stderr } = await cli(["secrets", "set", "ticketing"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^standard input: there is no JSON object/);
  });
});

describe("in a stage", () => {
  const id = "tidetable/dev/support";

  /** Secrets Manager after a deployment, with a value of the secret. */
  async function openManager(value: string | undefined, options: { deny?: string[] } = {}) {
    const secrets = { [id]: value };
    const { endpoint } = await openSecretsManager(secrets, options);
    pointAws({ SECRETS_MANAGER: endpoint });
    return () => JSON.parse(secrets[id] ?? "null");
  }

  const newMembers = { client_id: canaries.id, client_secret: canaries.secret };

  it("secrets set --stage fills the secret that the deployment has created", async () => {
    const stored = await openManager(undefined);
    const { exit, stdout } = await runSet(["support", "--stage", "dev"], {
      answers: [canaries.id, canaries.secret],
    });
    expect(exit).toBe(0);
    expect(stored()).toEqual(newMembers);
    expect(stdout).toBe(`${id}: client_id, client_secret set\n`);
    await expect(stat(join(folder, ".tidetable"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("secrets set --stage keeps the values of empty answers, and members that it does not know", async () => {
    const stored = await openManager(
      JSON.stringify({ ...newMembers, client_secret: canaries.old, note: "x" }),
    );
    await runSet(["support", "--stage", "dev"], { answers: ["", canaries.secret] });
    expect(stored()).toEqual({ ...newMembers, note: "x" });
  });

  it("secrets set --stage writes no new version if no value is new", async () => {
    const stored = await openManager(JSON.stringify(newMembers), { deny: ["PutSecretValue"] });
    const { exit, stdout } = await runSet(["support", "--stage", "dev"], { answers: ["", ""] });
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: `${id}: nothing changed\n` });
    expect(stored()).toEqual(newMembers);
  });

  it.each([
    canaries.old,
    `{"client_id": {"a": "${canaries.old}"}}`,
  ])("secrets set --stage replaces the value %j, which no source could use", async (value) => {
    const stored = await openManager(value);
    const { exit } = await runSet(["support", "--stage", "dev"], {
      answers: [canaries.id, canaries.secret],
    });
    expect(exit).toBe(0);
    expect(stored()).toEqual(newMembers);
  });

  it("secrets set --stage needs all members from a person who may write and not read", async () => {
    const stored = await openManager(JSON.stringify(newMembers), { deny: ["GetSecretValue"] });
    const half = await runSet(["support", "--stage", "dev"], { answers: [canaries.id, ""] });
    expect(half.exit).toBe(2);
    expect(half.stderr).toMatch(/^warning: the present value cannot be read, so all members are/);
    expect(stored()).toEqual(newMembers);
    const whole = await runSet(["support", "--stage", "dev"], {
      answers: ["new id", "new secret"],
    });
    expect(whole.exit).toBe(0);
    expect(stored()).toEqual({ client_id: "new id", client_secret: "new secret" });
  });

  it("secrets set --stage names a missing secret as not deployed, and asks nothing", async () => {
    const { endpoint } = await openSecretsManager({});
    pointAws({ SECRETS_MANAGER: endpoint });
    const { exit, stderr, questions } = await runSet(["support", "--stage", "dev"], {
      answers: [],
    });
    expect({ exit, questions }).toEqual({ exit: 2, questions: [] });
    expect(stderr).toMatch(
      /^stage dev: there is no secret tidetable\/dev\/support; deploy it: npx sst deploy --stage dev/,
    );
  });

  it("secrets set --stage reports a forbidden write in AWS's words", async () => {
    await openManager(undefined, { deny: ["PutSecretValue"] });
    const { exit, stderr } = await runSet(["support", "--stage", "dev"], {
      input: JSON.stringify(newMembers),
    });
    expect(exit).toBe(2);
    expect(stderr).toMatch(/not authorized to perform: secretsmanager:PutSecretValue; use/);
  });

  it("secrets set --stage hides the value that a refusal quotes", async () => {
    const { endpoint } = await openSecretsManager({ [id]: undefined }, { quote: true });
    pointAws({ SECRETS_MANAGER: endpoint });
    const { exit, stderr } = await runSet(["support", "--stage", "dev"], {
      input: JSON.stringify(newMembers),
    });
    expect(exit).toBe(1);
    expect(stderr).toContain("did not take its value (ValidationException)");
  });
});
