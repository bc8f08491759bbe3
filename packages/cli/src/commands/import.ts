import { writeFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { ConfigError } from "@tidetable/core/internal/config";
import { type Problem, planSource } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import { sourceNameOf } from "../base/names.ts";
import type { Context } from "../base/options.ts";
import { formatAmount, problemLines } from "../output/render.ts";
import { literalsOfKind } from "../sources/literal.ts";
import { readPythonSource, sourceFromLiteral } from "../sources/load-source.ts";
import { validateOpen, withSampleValues } from "../sources/open-values.ts";
import { parseJsonSource, readSourceText } from "../sources/source-file.ts";
import { sourceFileText, type TypeScriptSource } from "../sources/typescript.ts";

/** The document of `import --json`. */
interface ImportDocument {
  source: string;
  /** The file that was written. */
  out: string | null;
  typescript: string;
  /** The credentials that the source needs. */
  secrets: string[];
  /** The untranslated parts, which are marked in the file. */
  todos: Problem[];
  /** Further problems of the config. */
  problems: Problem[];
}

interface ParsedSource extends TypeScriptSource {
  todos: Problem[];
  remarks: Problem[];
}

/** `import FILE`: turns a dlt config in Python or JSON into a TypeScript source. */
export async function importFile({ args: [arg = ""], options, io }: Context): Promise<number> {
  const file = arg.replace(/:\d+$/, "");
  const text = await readSourceText(resolve(io.cwd, file), file);
  if (typeof text !== "string") throw importError([text]);
  const parsed = await parsers[extname(file)]?.(arg, text, { name: options.name, io });
  if (!parsed) throw importError([{ path: arg, message: "not a .py or .json file" }]);
  if ("problems" in parsed) throw importError(parsed.problems);

  const out = options.out ?? null;
  const name = options.name ?? sourceNameOf(basename(out ?? arg, extname(out ?? arg)));
  const typescript = sourceFileText(parsed);
  const document = { source: name, out, typescript, ...findOpenWork(parsed, name) };
  if (out !== null) {
    await writeNewFile(resolve(io.cwd, out), out, typescript, options.yes === true);
  }

  if (options.json) io.stdout.write(`${JSON.stringify(document)}\n`);
  else if (out === null) io.stdout.write(typescript);
  io.stderr.write(problemLines(parsed.remarks, "warning: "));
  if (!options.json) io.stderr.write(nextStepsText(document));
  return 0;
}

type Parser = (
  arg: string,
  text: string,
  options: { name: string | undefined; io: Io },
) => Promise<ParsedSource | { problems: Problem[] }>;

const parsers: Record<string, Parser> = {
  ".json": async (arg, text) => {
    const config = parseJsonSource(arg, text);
    if ("problems" in config) return config;
    return { config, comments: [], todos: [], remarks: [] };
  },
  ".py": async (arg, _text, { name, io }) => {
    const path = resolve(io.cwd, arg);
    const source = await readPythonSource(arg, { path, name, cwd: io.cwd });
    if ("problems" in source) return source;
    const { config, comments, expressionProblems, unreadUses, remarks } = source;
    if (config.kind !== "dict") return { problems: expressionProblems };
    return { config, todos: expressionProblems, remarks: [...unreadUses, ...remarks], comments };
  },
};

/** Finds what the user has to do before the source can run. */
function findOpenWork(
  { config, todos }: ParsedSource,
  name: string,
): Pick<ImportDocument, "secrets" | "todos" | "problems"> {
  const source = sourceFromLiteral(config);
  const problems = todos.length > 0 ? [] : validateOpen(source, name);
  const isComplete = todos.length + problems.length === 0;
  // The plan also knows credentials missing in the config, but needs a complete config.
  const secrets = isComplete
    ? planSource(withSampleValues(source), name).secrets
    : [...new Set(literalsOfKind(config, "secret").map((secret) => secret.name))];
  return { secrets, todos, problems };
}

async function writeNewFile(
  path: string,
  out: string,
  text: string,
  mayReplace: boolean,
): Promise<void> {
  try {
    await writeFile(path, text, { flag: mayReplace ? "w" : "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw importError([
      code === "EEXIST"
        ? { path: out, message: "there is such a file already", hint: "--yes replaces it" }
        : { path: out, message: `the file cannot be written (${code})` },
    ]);
  }
}

function nextStepsText({ source, out, secrets, todos, problems }: ImportDocument): string {
  const file = out ?? `${source}.ts`;
  const steps = [
    ...(todos.length > 0 ? [`write the parts marked TODO in ${file}`] : []),
    ...(problems.length > 0 ? ["solve the problems above"] : []),
    ...(secrets.length > 0
      ? [`npx --no tidetable secrets set ${file}   (${secrets.join(", ")})`]
      : []),
    `npx --no tidetable check ${file}`,
    `to deploy it, write { schedule: "rate(1 hour)" } after its dict, and register it in your project:
       npx --no tidetable add ${file}`,
  ];
  const writtenLine =
    out === null
      ? ""
      : `${out}: written${todos.length > 0 ? `, with ${formatAmount(todos.length, "TODO")}` : ""}\n`;
  return [
    writtenLine,
    problemLines(todos, "TODO: "),
    problemLines(problems, "wrong: "),
    "next:\n",
    ...steps.map((step, i) => `  ${i + 1}. ${step}\n`),
  ].join("");
}

const importError = (problems: Problem[]) =>
  new ConfigError({ code: "cli.import", message: problems[0]?.message ?? "", problems });
