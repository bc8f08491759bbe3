import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConfigError, spellingHint } from "@tidetable/core/internal/config";
import type { Problem } from "@tidetable/core/plan";
import { packageFile } from "./package-files.ts";

/** The folder of a user's app: its package.json has the member `tidetable`. */
export interface Project {
  folder: string;
  /** The app's name in AWS, as in sst.config.ts. */
  app: string;
  /** The module with the registered sources, as an absolute path. */
  sourcesFile: string;
  /** The modules with the handlers that AWS runs, as absolute paths. */
  functionFiles: { schedule: string; worker: string };
}

/** The member `tidetable` of package.json. */
interface ProjectMember {
  app: string;
  sources?: string;
  schedule?: string;
  worker?: string;
}

const memberNames = ["app", "sources", "schedule", "worker", "values"];

/** Where `tidetable init` puts what the member does not name. */
export const defaultFiles = {
  sources: "sources/index.ts",
  schedule: "functions/schedule.ts",
  worker: "functions/worker.ts",
};

/** The project around the working folder, otherwise the one that has installed this tidetable. */
export const currentProject = (workingFolder: string): Project | undefined =>
  findProject(workingFolder) ?? installingProject();

/** The project that has installed this tidetable. */
export const installingProject = (): Project | undefined => findProject(packageFile(".."));

/**
 * Finds the project of a folder: the nearest package.json with the member `tidetable`, in the folder
 * or above. Undefined outside of all projects.
 */
export function findProject(folder: string): Project | undefined {
  const member = readMember(join(folder, "package.json"));
  if (member !== undefined) return settleProject(folder, member);
  const parent = dirname(folder);
  return parent === folder ? undefined : findProject(parent);
}

/** Reads the member `tidetable` of a package.json. Undefined where there is none. */
function readMember(manifest: string): unknown {
  let text: string;
  try {
    text = readFileSync(manifest, "utf8");
  } catch {
    return undefined;
  }
  // Most package.json above a folder are somebody else's: they are not judged.
  if (!text.includes('"tidetable"')) return undefined;
  try {
    return (JSON.parse(text) as { tidetable?: unknown }).tidetable;
  } catch {
    throw projectError([{ path: manifest, message: "not valid JSON" }]);
  }
}

function settleProject(folder: string, member: unknown): Project {
  const problems = findProblems(member, join(folder, "package.json"));
  if (problems.length > 0) throw projectError(problems);
  const { app, ...files } = member as ProjectMember;
  const path = (name: keyof typeof defaultFiles) =>
    resolve(folder, files[name] ?? defaultFiles[name]);
  return {
    folder,
    app,
    sourcesFile: path("sources"),
    functionFiles: { schedule: path("schedule"), worker: path("worker") },
  };
}

function findProblems(member: unknown, manifest: string): Problem[] {
  const path = `${manifest}: tidetable`;
  const example = `write "tidetable": { "app": "shop", "sources": "./${defaultFiles.sources}" }`;
  if (typeof member !== "object" || member === null || Array.isArray(member)) {
    return [{ path, message: "not an object", hint: example }];
  }
  const problems: Problem[] = Object.entries(member).flatMap(([name, value]) => {
    const place = `${path}.${name}`;
    if (!memberNames.includes(name)) {
      const hint = spellingHint(name, memberNames);
      return [{ path: place, message: "there is no such member", hint }];
    }
    // The values of the stages are judged where they are read.
    if (name === "values") return [];
    const isText = typeof value === "string" && value !== "";
    return isText ? [] : [{ path: place, message: "not a string", hint: example }];
  });
  const { app } = member as { app?: unknown };
  if (app === undefined) {
    const hint = "write the app's name, as in sst.config.ts";
    problems.push({ path: `${path}.app`, message: "the app's name is missing", hint });
  } else if (typeof app === "string" && app !== "" && !isAppName(app)) {
    const hint = "it has letters, digits and dashes, and begins with a letter, as for SST";
    problems.push({ path: `${path}.app`, message: `"${app}" cannot be an app's name`, hint });
  }
  return problems;
}

/** SST takes other names, too, which AWS refuses for a table or a function. */
export const isAppName = (text: string): boolean => /^[A-Za-z][A-Za-z0-9-]{0,39}$/.test(text);

const projectError = (problems: Problem[]) =>
  new ConfigError({ code: "project.invalid", message: problems[0]?.message ?? "", problems });
