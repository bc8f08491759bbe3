import { existsSync } from "node:fs";
import { relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Sources } from "@tidetable/core";
import { ConfigError, isSource } from "@tidetable/core/internal/config";
import type { Problem } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import { currentProject, type Project } from "../base/project.ts";

/** Loads the sources that the project around the working folder registers; none without a project. */
export async function loadRegisteredSources(
  io: Pick<Io, "cwd" | "prepareTypeScript">,
): Promise<Sources> {
  const project = currentProject(io.cwd);
  return project ? loadProjectSources(project, io) : {};
}

/** Loads the module that the project names. Throws a ConfigError where it registers no sources. */
export async function loadProjectSources(
  project: Project,
  io: Pick<Io, "prepareTypeScript">,
): Promise<Sources> {
  const { sourcesFile } = project;
  const path = relative(project.folder, sourcesFile);
  if (!existsSync(sourcesFile)) {
    throw registrationError({
      path,
      message: `there is no such file, which ${project.folder}/package.json names`,
      hint: "write it, as in `export const sources = register({ … })`, or name another as tidetable.sources",
    });
  }
  const module = await importModule(sourcesFile, io).catch((error: unknown) => {
    const message = `the file cannot be loaded: ${importErrorLine(error)}`;
    throw registrationError({ path, message });
  });
  const { sources } = module as { sources?: unknown };
  if (isRegistration(sources)) return sources;
  throw registrationError({
    path,
    message: "it exports no registered sources",
    hint: "write `export const sources = register({ … })`",
  });
}

const isRegistration = (sources: unknown): sources is Sources =>
  typeof sources === "object" && sources !== null && Object.values(sources).every(isSource);

/** Imports a user's module. bin/resolve.mjs lets it find `@tidetable/core` from any folder. */
export async function importModule(
  path: string,
  io: Pick<Io, "prepareTypeScript">,
): Promise<object> {
  // A JavaScript file may import TypeScript.
  await io.prepareTypeScript?.();
  return import(pathToFileURL(path).href);
}

/** The error of an import, on one line. */
export function importErrorLine(error: unknown): string {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return reason.replace(/(?<!\s)\s*\n\s*/g, " ");
}

const registrationError = (problem: Problem) =>
  new ConfigError({ code: "project.sources", message: problem.message, problems: [problem] });
