import { writeFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { ConfigError, type Problem, plan } from "@tidetable/core";
import { validate } from "@tidetable/core/validate";
import { ofKind } from "../literal.ts";
import { sourceOf } from "../load-source.ts";
import type { Context } from "../options.ts";
import { problemLines, several } from "../render.ts";
import { readJson, readText } from "../source-file.ts";
import { sourceFile, type Written } from "../typescript.ts";

/** What `import --json` prints. */
interface ImportDocument {
  source: string;
  /** The file that was written. */
  out: string | null;
  typescript: string;
  /** The credentials that it needs. */
  secrets: string[];
  /** What was not translated, and is marked in the file. */
  todos: Problem[];
  /** What keeps it from running, beside that. */
  problems: Problem[];
}

interface Read extends Written {
  todos: Problem[];
  remarks: Problem[];
}

/** `import`: a dlt config in Python or JSON becomes a TypeScript source. */
export async function importFile({ args: [arg = ""], options, io }: Context): Promise<number> {
  const text = await readText(resolve(io.cwd, arg), arg);
  if (typeof text !== "string") throw invalid([text]);
  const read = await readers[extname(arg)]?.(arg, text, options.name);
  if (!read) throw invalid([{ path: arg, message: "not a .py or .json file" }]);
  if ("problems" in read) throw invalid(read.problems);

  const out = options.out ?? null;
  const name = options.name ?? sourceName(out ?? arg);
  const document = { source: name, out, typescript: sourceFile(read), ...outlook(read, name) };
  if (out !== null) await put(resolve(io.cwd, out), out, document.typescript, options.yes === true);

  if (options.json) io.stdout.write(`${JSON.stringify(document)}\n`);
  else if (out === null) io.stdout.write(document.typescript);
  io.stderr.write(problemLines(read.remarks, "warning: "));
  if (!options.json) io.stderr.write(advice(document));
  return 0;
}

type Reader = (
  arg: string,
  text: string,
  name: string | undefined,
) => Promise<Read | { problems: Problem[] }>;

const readers: Record<string, Reader> = {
  ".json": async (arg, text) => {
    const config = readJson(arg, text);
    if ("problems" in config) return config;
    return { config, comments: [], textOf: () => "", todos: [], remarks: [] };
  },
  ".py": async (arg, text, name) => {
    const { commentsAbove, readPython, refusals, textOf } = await import("../python/load.ts");
    const read = readPython(arg, text, name);
    if ("problems" in read) return read;
    const { file, config, statement, unread, remarks } = read;
    const todos = refusals(read);
    if (config.kind !== "dict") return { problems: todos };
    return {
      config,
      todos,
      remarks: [...unread, ...remarks],
      comments: commentsAbove(file, statement),
      textOf: textOf(file),
    };
  },
};

/** `Sales CRM.py` → `sales_crm`. */
function sourceName(file: string): string {
  const words = basename(file, extname(file))
    .toLowerCase()
    .match(/[a-z0-9]+/g) ?? ["source"];
  return words.join("_");
}

/** What there is to do until it runs. */
function outlook(
  { config, todos }: Read,
  name: string,
): Pick<ImportDocument, "secrets" | "todos" | "problems"> {
  const source = sourceOf(config);
  const problems = todos.length > 0 ? [] : validate(source, name);
  const written = ofKind(config, "secret").map((secret) => secret.name);
  // A plan also knows the credentials that a config leaves unsaid.
  const isWhole = todos.length + problems.length === 0;
  const secrets = isWhole ? plan(source, name).secrets : [...new Set(written)];
  return { secrets, todos, problems };
}

async function put(path: string, out: string, text: string, mayReplace: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: mayReplace ? "w" : "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw invalid([
      code === "EEXIST"
        ? { path: out, message: "there is such a file already", hint: "--yes replaces it" }
        : { path: out, message: `the file can not be written (${code})` },
    ]);
  }
}

function advice({ source, out, secrets, todos, problems }: ImportDocument): string {
  const file = out ?? `${source}.ts`;
  const steps = [
    ...(todos.length > 0 ? [`write what is marked TODO in ${file}`] : []),
    ...(problems.length > 0 ? ["change what is named above"] : []),
    ...(secrets.length > 0 ? [`npx tidetable secrets set ${file}   (${secrets.join(", ")})`] : []),
    `npx tidetable check ${file}`,
    `to deploy it, put it into packages/sources/src, and into index.ts there:
       import ${source} from "./${basename(file)}";
     with ${source} among the sources, and { schedule: "rate(1 hour)" } behind its dict`,
  ];
  return [
    out === null
      ? ""
      : `${out}: written${todos.length > 0 ? `, with ${several(todos.length, "TODO")}` : ""}\n`,
    problemLines(todos, "TODO: "),
    problemLines(problems, "wrong: "),
    "next:\n",
    ...steps.map((step, i) => `  ${i + 1}. ${step}\n`),
  ].join("");
}

const invalid = (problems: Problem[]) =>
  new ConfigError({ code: "cli.import", message: problems[0]?.message ?? "", problems });
