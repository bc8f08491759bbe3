import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ConfigError } from "@tidetable/core/internal/config";
import type { Project } from "../base/project.ts";
import type { CopiedSource } from "./copied-source.ts";
import { registrationLines, withRegistered } from "./registration.ts";

export interface AddedSource {
  /** The written file, relative to the project. */
  file: string;
  /** The lines to write by hand, where the file with the sources has a shape of its own. */
  openLines: string[];
}

/** Writes the source's file beside the registered sources, unless it stands there, and registers it. */
export function addSource(
  project: Project,
  { name, text, path: original }: CopiedSource,
): AddedSource {
  const folder = dirname(project.sourcesFile);
  const path = join(folder, `${name}.ts`);
  const file = relative(project.folder, path);
  if (existsSync(path) && original !== path) {
    const message = "there is such a file already";
    const problem = { path: file, message, hint: "give the source another name with --name" };
    throw new ConfigError({ code: "cli.add", message, problems: [problem] });
  }
  const registered = registeredText(project, name);
  mkdirSync(folder, { recursive: true });
  if (original !== path) writeFileSync(path, text);
  if (registered === undefined) return { file, openLines: registrationLines(name) };
  writeFileSync(project.sourcesFile, registered);
  return { file, openLines: [] };
}

function registeredText({ sourcesFile }: Project, name: string): string | undefined {
  if (!existsSync(sourcesFile)) return undefined;
  return withRegistered(readFileSync(sourcesFile, "utf8"), name);
}
