import { createRequire } from "node:module";
import type { Problem } from "@tidetable/core";
import { Command, CommanderError, type Option } from "commander";
import type { Io } from "./io.ts";
import {
  type Context,
  common,
  fullRefresh,
  limit,
  limitPages,
  notYet,
  type Options,
  resource,
  settle,
  tables,
  yes,
} from "./options.ts";

interface Entry {
  /** As commander reads it. */
  usage: string;
  summary: string;
  options: Option[];
  /** Imported when it is called: `--help` loads no SDK and no engine. */
  load: () => Promise<(context: Context) => Promise<number>>;
}

const entries: Entry[] = [
  {
    usage: "run [source...]",
    summary: "mirror sources into their tables (default: all that are registered)",
    options: [resource, fullRefresh, yes, limitPages, ...notYet("--lambda")],
    load: async () => (await import("./commands/run.ts")).run,
  },
  {
    usage: "check [source...]",
    summary: "validate config, secrets and connection: reads one page per resource, writes nothing",
    options: [],
    load: async () => (await import("./commands/check.ts")).check,
  },
  {
    usage: "plan [source...]",
    summary: "print tables, keys, schedule and first requests; no network",
    options: notYet("--cost"),
    load: async () => (await import("./commands/plan.ts")).plan,
  },
  {
    usage: "items <source/resource>",
    summary: "print a table's items in key order",
    options: [limit],
    load: async () => (await import("./commands/items.ts")).items,
  },
  {
    usage: "state [source[/resource]]",
    summary: "print cursors, checkpoints, leases and last runs",
    options: [],
    load: async () => (await import("./commands/state.ts")).state,
  },
  {
    usage: "status [source[/resource]]",
    summary: "print how fresh each table is, and its last run with its cost",
    options: [],
    load: async () => (await import("./commands/status.ts")).status,
  },
  {
    usage: "reset <source[/resource]>",
    summary: "forget cursors and open runs: the next run reads everything",
    options: [tables, yes],
    load: async () => (await import("./commands/reset.ts")).reset,
  },
];

const quarantineEntries: Entry[] = [
  {
    usage: "list [source[/resource]]",
    summary: "print the records that were set aside, each with its reason",
    options: [],
    load: async () => (await import("./commands/quarantine.ts")).list,
  },
  {
    usage: "replay <source/resource>",
    summary: "put them through again",
    options: [],
    load: async () => (await import("./commands/quarantine.ts")).replay,
  },
];

/** What `npm start` calls: no command of its own, so not in the help. */
const demo: Entry = {
  usage: "start",
  summary: "run the five sources twice against the sample API",
  options: [],
  load: async () => (await import("./start.ts")).start,
};

/** Runs one command line to its exit code: 0 done, 1 something failed, 2 the user has to change something. */
export async function main(argv: string[], io: Io): Promise<number> {
  try {
    return await parse(argv.length === 0 ? ["--help"] : argv, io);
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : invalid([usageProblem(error)], argv, io);
    }
    const { ConfigError } = await import("@tidetable/core");
    if (error instanceof ConfigError) return invalid(error.problems, argv, io);
    io.stderr.write(`tidetable: ${unexpected(error, io.env)}\n`);
    return 1;
  }
}

async function parse(argv: string[], io: Io): Promise<number> {
  let exit = 0;
  const program = new Command("tidetable")
    .description("Mirrors REST APIs into DynamoDB tables.")
    .version(createRequire(import.meta.url)("../package.json").version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} });

  const add = (parent: Command, { usage, summary, options, load }: Entry, hidden = false) => {
    const command = parent.command(usage, { hidden }).description(summary);
    for (const option of [...options, ...common]) command.addOption(option);
    command.action(async () => {
      refuseNotYet(command);
      const context = { args: command.args, options: settle(command.opts<Options>(), io), io };
      const run = await load();
      exit = await run(context);
    });
  };
  for (const entry of entries) add(program, entry);
  const quarantine = program.command("quarantine").description("records that were set aside");
  for (const entry of quarantineEntries) add(quarantine, entry);
  add(program, demo, true);

  await program.parseAsync(argv, { from: "user" });
  return exit;
}

function refuseNotYet(command: Command): void {
  const given = command.options.find(
    (option) => option.hidden && command.getOptionValue(option.attributeName()) !== undefined,
  );
  if (given) command.error(`${given.long} is not supported yet`, { code: "tidetable.notYet" });
}

/** commander's words as a problem: `error: unknown command 'rnu'\n(Did you mean run?)`. */
function usageProblem(error: CommanderError): Problem {
  if (error.code === "commander.help") {
    const hint = "it is list or replay; `tidetable quarantine --help` shows more";
    return { path: "command line", message: "quarantine needs a command", hint };
  }
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const hint =
    suggestion?.replace(/^\(Did(.*)\)$/, "did$1") ?? "`tidetable --help` shows what there is";
  return { path: "command line", message: message.replace(/\.$/, ""), hint };
}

async function invalid(problems: readonly Problem[], argv: string[], io: Io): Promise<number> {
  if (argv.includes("--json")) {
    const { problemsDocument } = await import("./report.ts");
    io.stdout.write(`${JSON.stringify(problemsDocument(problems))}\n`);
  } else {
    const { problemLines } = await import("./render.ts");
    io.stderr.write(problemLines(problems));
  }
  return 2;
}

function unexpected(error: unknown, env: Io["env"]): string {
  if (!(error instanceof Error)) return String(error);
  if (env.TIDETABLE_DEBUG === "1") return error.stack ?? error.message;
  return `${error.message.split("\n", 1)[0]} (TIDETABLE_DEBUG=1 shows the stack)`;
}

/** One Ctrl-C can arrive several times: from the terminal, from npm and from the launcher. */
const SAME_KEYPRESS_MS = 500;

/** The process as the outside: its streams, its signals, its exit code. */
export async function start(): Promise<void> {
  const stop = new AbortController();
  let stopped = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      stopped = performance.now();
      stop.abort(new Error(`interrupted by ${signal}`));
    } else if (performance.now() - stopped > SAME_KEYPRESS_MS) {
      process.exit(130);
    }
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // The reader has gone (`tidetable items … | head`): there is nobody left to tell.
  process.stdout.on("error", () => process.exit(0));

  const { stdin, stdout, stderr, env } = process;
  process.exitCode = await main(process.argv.slice(2), {
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    signal: stop.signal,
    ask: stdin.isTTY && stderr.isTTY ? (question) => askAt(question, stop.signal) : undefined,
  });
}

/** On stderr, so that a document on stdout stays one. An interruption is no answer. */
async function askAt(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // In raw mode Ctrl-C is a key like others.
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return await terminal.question(question, { signal });
  } catch {
    return "";
  } finally {
    terminal.close();
  }
}
