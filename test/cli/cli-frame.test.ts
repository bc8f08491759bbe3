import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { main } from "../../packages/cli/src/cli.ts";

const bin = fileURLToPath(new URL("../../packages/cli/bin/tidetable.mjs", import.meta.url));

async function runMain(argv: string[], env: Record<string, string> = {}, stdout?: () => void) {
  const out = { stdout: "", stderr: "" };
  const into = (name: keyof typeof out) => ({
    write(text: string) {
      stdout?.();
      out[name] += text;
    },
  });
  const exit = await main(argv, {
    stdout: into("stdout"),
    stderr: { write: (text) => (out.stderr += text) },
    env,
    cwd: process.cwd(),
    signal: new AbortController().signal,
  });
  return { exit, ...out };
}

describe("help", () => {
  it.each([
    [["--help"]],
    [[]],
    [["help"]],
  ])("the command line %j prints the commands and ends with exit code 0", async (argv) => {
    const { exit, stdout } = await runMain(argv);
    expect(exit).toBe(0);
    for (const command of [
      "run",
      "check",
      "preview",
      "plan",
      "items",
      "schema",
      "types",
      "state",
      "status",
      "reset",
      "quarantine",
      "secrets",
      "failures",
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    }
  });

  it("the help does not show the command of `npm start`", async () => {
    for (const argv of [["--help"], ["run", "--help"]]) {
      expect((await runMain(argv)).stdout).not.toMatch(/start/);
    }
  });
});

describe("a wrong command line", () => {
  it.each([
    [["rnu"], "command line: unknown command 'rnu'; did you mean run?\n"],
    [["run", "--jsn"], "command line: unknown option '--jsn'; did you mean --json?\n"],
    [["items"], /^command line: missing required argument 'source\/resource'; /],
    [["items", "a/b", "c"], /^command line: too many arguments for 'items'/],
    [["items", "a/b", "--limit", "0"], /argument '0' is invalid. It has to be 1 or more; /],
    [["run", "--limit-pages", "two"], /argument 'two' is invalid. It has to be 1 or more; /],
    [["run", "--dynamodb", "localhost"], /argument 'localhost' is invalid. It has to be a URL/],
    [["quarantine"], /^command line: quarantine needs a command; it is list or replay/],
    [["secrets"], /^command line: secrets needs a command; it is set; `tidetable secrets --help`/],
    [["failures"], /^command line: failures needs a command; it is list or redrive; /],
    [["run", "--stage", "my stage"], /argument 'my stage' is invalid. It has letters, digits and/],
    [["quarantine", "lits"], "command line: unknown command 'lits'; did you mean list?\n"],
    [["quarantine", "replay"], /^command line: missing required argument 'source\/resource'; /],
    [["reset"], /^command line: missing required argument/],
    [
      ["plan", "ticketng"],
      /^ticketng: there is no source of this name; did you mean ticketing\?\n$/,
    ],
  ] as const)("the wrong command line %j ends with exit code 2 and a message", async (argv, message) => {
    const { exit, stdout, stderr } = await runMain([...argv]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("with --json the problems of a wrong command line are the only content of stdout", async () => {
    const { exit, stdout, stderr } = await runMain(["run", "--jso", "--json"]);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      status: "invalid",
      problems: [
        { path: "command line", message: "unknown option '--jso'", hint: "did you mean --json?" },
      ],
    });
  });
});

describe("an unexpected error", () => {
  const throwDiskFull = () => {
    throw new Error("the disk is full\nand so is the bin");
  };

  it("an unexpected error is one line on stderr and exit code 1", async () => {
    const { exit, stderr } = await runMain(["plan", "ticketing"], {}, throwDiskFull);
    expect(exit).toBe(1);
    expect(stderr).toBe("tidetable: the disk is full (TIDETABLE_DEBUG=1 shows the stack)\n");
  });

  it("an unexpected error shows its stack with TIDETABLE_DEBUG=1", async () => {
    const { stderr } = await runMain(
      ["plan", "ticketing"],
      { TIDETABLE_DEBUG: "1" },
      throwDiskFull,
    );
    expect(stderr).toMatch(/the disk is full\nand so is the bin\n +at /);
  });
});

describe("plan", () => {
  it("plan prints for each resource what a run would do, without any secret", async () => {
    const { exit, stdout } = await runMain(["plan", "ticketing"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(
      /^ticketing: rate\(.*\) \(off in AWS: an example host\), worker with 512 MB\n {2}tickets\n/,
    );
    expect(
      stdout.split("\n").slice(2).join("\n"),
    ).toBe(`    table    tidetable-local-ticketing.tickets
    key      id (S)
    writes   merge
    request  GET https://api.example.com/v1/tickets?offset=0&limit=100
    auth     api_key in query as "api_key" from secret api_key
    pages    offset, 100 records each, until "total" is reached or a page is empty
    records  data
    retry    429, 500, 502, 503, 504: 3 retries after 2, 4, 8 s; 30 s per request
`);
  });

  it("plan --json prints the plan as one document", async () => {
    const { exit, stdout } = await runMain(["plan", "ticketing", "support", "--json"]);
    expect(exit).toBe(0);
    const { sources } = JSON.parse(stdout);
    expect(sources.map(({ source }: { source: string }) => source)).toEqual([
      "ticketing",
      "support",
    ]);
    expect(sources[0].resources[0]).toMatchObject({
      resource: "tickets",
      table: "tidetable-local-ticketing.tickets",
      write_disposition: "merge",
      key: { fields: ["id"], hash: { name: "id", type: "S" }, range: null },
      request: { method: "GET", url: "https://api.example.com/v1/tickets?offset=0&limit=100" },
      auth: { type: "api_key", text: expect.stringContaining("from secret api_key") },
      paginator: { type: "offset" },
      data_selector: "data",
      retry: { statuses: [429, 500, 502, 503, 504], max_retries: 3, backoff_factor: 2 },
      timeout_ms: 30_000,
    });
    expect(sources[1].secrets).toEqual(["client_id", "client_secret"]);
    expect(sources[0]).toMatchObject({
      schedule: { expression: "rate(1 hour)", enabled: true, longest_gap_ms: 3_600_000 },
      example_host: true,
      function: { memory: 512, reserved_concurrency: null, vpc: null, sdk_writes: false },
    });
    expect(sources[0].resources[0].table_options).toEqual({
      ttl: null,
      stream: null,
      indexes: [],
      kms_key: null,
      max_write_units: null,
    });
  });
});

describe("the program", () => {
  it("the program starts from any folder, prints no warnings, and passes its exit code on", async () => {
    const { code, stdout, stderr } = await runProgram(["rnu", "--json"], { cwd: "/" }).end;
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(JSON.parse(stdout).status).toBe("invalid");
  });

  it("an interrupt ends a pending request and the program still reports, even if the signal arrives twice", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidetable-cli-"));
    const server = createServer().listen(0, "127.0.0.1");
    const requested = once(server, "request");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const endpoint = { data_selector: "data", paginator: "single_page" };
      const silent = {
        client: { base_url: `http://127.0.0.1:${port}` },
        resources: [{ name: "deals", primary_key: "id", endpoint }],
      };
      await writeFile(join(folder, "silent.json"), JSON.stringify(silent));

      const { child, end } = runProgram(["run", "silent.json", "--json"], { cwd: folder });
      await requested;
      // The signals differ, because two equal signals could be merged.
      child.kill("SIGINT");
      child.kill("SIGTERM");
      const { code, stdout } = await end;
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        status: "failed",
        resources: [{ status: "failed", error: { code: "run.interrupted" } }],
      });
    } finally {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});

function runProgram(argv: string[], options: { cwd: string }) {
  const child = spawn(process.execPath, [bin, ...argv], options);
  const out = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (data) => {
      out[name] += data;
    });
  }
  const end = new Promise<{ code: number | null } & typeof out>((resolve) => {
    child.on("close", (code) => resolve({ code, ...out }));
  });
  return { child, end };
}
