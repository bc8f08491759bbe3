import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { OpenModule } from "../python/values.ts";

/** The folder of a project holds one of these. Modules are not looked for above it. */
const projectMarks = [".git", ".dlt", "pyproject.toml", "setup.py", "requirements.txt", "Pipfile"];

const MAX_PARENTS = 4;
const MAX_BYTES = 1024 * 1024;
/** A project has some files of constants. */
const MAX_MODULES = 50;

/**
 * Opens the files of a Python project that its files import from each other. Each is parsed once,
 * and none is run.
 */
export function openPythonProject(
  cwd: string,
  parse: (arg: string, text: string) => ReturnType<OpenModule>,
): OpenModule {
  const modules = new Map<string, ReturnType<OpenModule>>();
  return (module, from) => {
    const arg = moduleFile(cwd, dirname(from.arg), module);
    if (arg === undefined) return undefined;
    if (!modules.has(arg)) {
      if (modules.size >= MAX_MODULES) return undefined;
      modules.set(arg, parse(arg, readFileSync(resolve(cwd, arg), "utf8")));
    }
    return modules.get(arg);
  };
}

/** The file of a module: beside the file that imports it, or in a folder of the project above it. */
function moduleFile(cwd: string, folder: string, module: string): string | undefined {
  const [, dots = "", name = ""] = /^(\.*)(.*)$/.exec(module) ?? [];
  const path = name.replaceAll(".", "/");
  if (!/^[\w/]+$/.test(path)) return undefined;
  let base = folder;
  for (let i = 1; i < dots.length; i++) base = join(base, "..");
  for (let i = 0; i <= MAX_PARENTS; i++) {
    const file = [`${path}.py`, `${path}/__init__.py`]
      .map((candidate) => join(base, candidate))
      .find((candidate) => isSmallFile(resolve(cwd, candidate)));
    if (file !== undefined) return file;
    const isProject = projectMarks.some((mark) => existsSync(resolve(cwd, base, mark)));
    if (dots !== "" || isProject) return undefined;
    base = join(base, "..");
  }
  return undefined;
}

function isSmallFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size <= MAX_BYTES;
}
