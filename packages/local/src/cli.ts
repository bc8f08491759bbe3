import { createRequire } from "node:module";
import type { Problem } from "@tidetable/core";
import { hide } from "@tidetable/core/redact";
import { Command, CommanderError } from "commander";
import { demo, type Entry, entries, groups } from "./commands.ts";
import { hiding, type Io } from "./io.ts";
import { common, type Options, settle } from "./options.ts";
import { askAtTerminal } from "./terminal.ts";

/** Runs one command line to its exit code: 0 done, 1 something failed, 2 the user has to change something. */
export async function main(argv: string[], outside: Io): Promise<number> {
  const io = { ...outside, stdout: hiding(outside.stdout), stderr: hiding(outside.stderr) };
  try {
    return await parse(argv.length === 0 ? ["--help"] : argv, io);
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : invalid([usageProblem(error, argv)], argv, io);
    }
    const { ConfigError, explain, isFailure } = await import("@tidetable/core");
    if (error instanceof ConfigError) return invalid(error.problems, argv, io);
    const line = isFailure(error) ? explain(error) : unexpected(error, io.env);
    io.stderr.write(`tidetable: ${line}\n`);
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
      const context = { args: command.args, options: settle(command.opts<Options>(), io), io };
      const run = await load();
      exit = await run(context);
    });
  };
  for (const entry of entries) add(program, entry);
  for (const { name, summary, entries } of groups) {
    const group = program.command(name).description(summary);
    for (const entry of entries) add(group, entry);
  }
  add(program, demo, true);

  await program.parseAsync(argv, { from: "user" });
  return exit;
}

/** commander's words as a problem: `error: unknown command 'rnu'\n(Did you mean run?)`. */
function usageProblem(error: CommanderError, argv: string[]): Problem {
  const group = groups.find(({ name }) => name === argv[0]);
  if (error.code === "commander.help" && group) {
    const words = group.entries.map(({ usage }) => usage.split(" ")[0]);
    const hint = `it is ${words.join(" or ")}; \`tidetable ${group.name} --help\` shows more`;
    return { path: "command line", message: `${group.name} needs a command`, hint };
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
  // Hidden before it is cut: the end of a key is a piece of it, too.
  return `${hide(error.message).split("\n", 1)[0]} (TIDETABLE_DEBUG=1 shows the stack)`;
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
    ask: stdin.isTTY && stderr.isTTY ? askAtTerminal(stop.signal) : undefined,
    input: stdin.isTTY
      ? undefined
      : async () => (await import("node:stream/consumers")).text(stdin),
  });
}
