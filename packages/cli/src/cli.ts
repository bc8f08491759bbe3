import { readFileSync } from "node:fs";
import { hideSecrets } from "@tidetable/core/internal/redact";
import type { Problem } from "@tidetable/core/plan";
import { Command, CommanderError } from "commander";
import { type Io, safeStream } from "./base/io.ts";
import { commonOptions, settleOptions } from "./base/options.ts";
import { packageFile } from "./base/package-files.ts";
import { type CommandEntry, commandGroups, commands, demoCommand } from "./command-list.ts";
import { askAtTerminal } from "./output/terminal.ts";

/** Runs a command line. Exit codes: 0 succeeded, 1 failed, 2 invalid usage, config or secrets. */
export async function main(argv: string[], outside: Io): Promise<number> {
  const io = {
    ...outside,
    stdout: safeStream(outside.stdout),
    stderr: safeStream(outside.stderr),
  };
  try {
    return await parseAndRun(argv.length === 0 ? ["--help"] : argv, io);
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : printProblems([usageProblem(error, argv)], argv, io);
    }
    const { ConfigError, explainError, isFailure } = await import(
      "@tidetable/core/internal/config"
    );
    if (error instanceof ConfigError) return printProblems(error.problems, argv, io);
    const line = isFailure(error) ? explainError(error) : unexpectedErrorText(error, io.env);
    io.stderr.write(`tidetable: ${line}\n`);
    return 1;
  }
}

async function parseAndRun(argv: string[], io: Io): Promise<number> {
  let exitCode = 0;
  const program = new Command("tidetable")
    .description("Mirrors REST APIs into DynamoDB tables.")
    .version(JSON.parse(readFileSync(packageFile("package.json"), "utf8")).version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} });

  const addCommand = (
    parent: Command,
    { usage, summary, options, load }: CommandEntry,
    hidden = false,
  ) => {
    const command = parent.command(usage, { hidden }).description(summary);
    for (const option of [...options, ...commonOptions]) command.addOption(option);
    command.action(async () => {
      const settled = settleOptions(command.opts(), io);
      const run = await load();
      exitCode = await run({ args: command.args, options: settled, io });
    });
  };
  for (const entry of commands) addCommand(program, entry);
  for (const { name, summary, entries } of commandGroups) {
    const group = program.command(name).description(summary);
    for (const entry of entries) addCommand(group, entry);
  }
  addCommand(program, demoCommand, true);

  await program.parseAsync(argv, { from: "user" });
  return exitCode;
}

/** Turns commander's message into a problem: `error: unknown command 'rnu'\n(Did you mean run?)`. */
function usageProblem(error: CommanderError, argv: string[]): Problem {
  const group = commandGroups.find(({ name }) => name === argv[0]);
  if (error.code === "commander.help" && group) {
    const words = group.entries.map(({ usage }) => usage.split(" ")[0]);
    const hint = `it is ${words.join(" or ")}; \`tidetable ${group.name} --help\` shows more`;
    return { path: "command line", message: `${group.name} needs a command`, hint };
  }
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const hint =
    suggestion?.replace(/^\(Did(.*)\)$/, "did$1") ?? "`tidetable --help` shows the commands";
  return { path: "command line", message: message.replace(/\.$/, ""), hint };
}

/** Prints problems that the user has to solve, and returns their exit code. */
async function printProblems(
  problems: readonly Problem[],
  argv: string[],
  io: Io,
): Promise<number> {
  if (argv.includes("--json")) {
    const { problemsDocument } = await import("./output/documents.ts");
    io.stdout.write(`${JSON.stringify(problemsDocument(problems))}\n`);
  } else {
    const { problemLines } = await import("./output/render.ts");
    io.stderr.write(problemLines(problems));
  }
  return 2;
}

function unexpectedErrorText(error: unknown, env: Io["env"]): string {
  if (!(error instanceof Error)) return String(error);
  if (env.TIDETABLE_DEBUG === "1") return error.stack ?? error.message;
  // Secrets are hidden before the message is cut, because a cut secret would not be recognised.
  return `${hideSecrets(error.message).split("\n", 1)[0]} (TIDETABLE_DEBUG=1 shows the stack)`;
}

/** A single Ctrl-C can arrive three times: from the terminal, from npm and from the launcher. */
const SAME_KEYPRESS_MS = 500;

/** Runs the process's command line, with real streams, signals and exit code. */
export async function startProcess(
  prepareTypeScript: Io["prepareTypeScript"] = undefined,
): Promise<void> {
  const interrupt = new AbortController();
  let interruptedAt = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (!interrupt.signal.aborted) {
      interruptedAt = performance.now();
      interrupt.abort(new Error(`interrupted by ${signal}`));
    } else if (performance.now() - interruptedAt > SAME_KEYPRESS_MS) {
      process.exit(130);
    }
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // The reader of a pipe may end first, as in `tidetable items … | head`. That is no error.
  process.stdout.on("error", () => process.exit(0));

  const { stdin, stdout, stderr, env } = process;
  process.exitCode = await main(process.argv.slice(2), {
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    signal: interrupt.signal,
    prepareTypeScript,
    ask: stdin.isTTY && stderr.isTTY ? askAtTerminal(interrupt.signal) : undefined,
    input: stdin.isTTY
      ? undefined
      : async () => (await import("node:stream/consumers")).text(stdin),
  });
}
