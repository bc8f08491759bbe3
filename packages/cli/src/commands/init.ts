import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Context, Options } from "../base/options.ts";
import { findProject, isAppName, type Project } from "../base/project.ts";
import { addSource } from "../starter/add-source.ts";
import { nameOf, readOriginal } from "../starter/copied-source.ts";
import { readGallery } from "../starter/gallery.ts";
import { completedManifest, initError, readManifest } from "../starter/manifest.ts";
import { applyChanges, type WrittenFile } from "../starter/project-files.ts";
import {
  agentsText,
  componentLines,
  editorSettings,
  ignoredFiles,
  scheduleText,
  sourcesText,
  sstConfigText,
  tsconfigText,
  workerText,
} from "../starter/project-texts.ts";

const command = "npx --no tidetable";
const firstSource = "pokemon";

/** The document of `init --json`. */
interface InitDocument {
  folder: string;
  app: string;
  files: WrittenFile[];
  /** The first source, where one was added. */
  source: string | null;
  installed: boolean;
  /** Lines for `run()` of an sst.config.ts that was there before. */
  component: string[];
}

/** `init [DIR]`: writes a project, or what a project lacks. It changes no file that is there. */
export async function initProject({ args: [arg = "."], options, io }: Context): Promise<number> {
  const folder = resolve(io.cwd, arg);
  const ask = options.yes ? undefined : io.ask;
  const isNew = !existsSync(join(folder, "sources/index.ts"));
  const app = await chooseApp(folder, options, ask);
  const original = await chooseSource(options, { isNew, cwd: io.cwd, ask });
  const config = textOf(join(folder, "sst.config.ts"));
  const hadConfig = config !== undefined;
  const region =
    options.region ??
    (!hadConfig && ask ? await ask("AWS region (empty: as the credentials say): ") : "");
  const packages =
    options.packages === undefined ? tarballsHere(io.cwd) : resolve(io.cwd, options.packages);
  const manifest = completedManifest(folder, { app, packages });

  mkdirSync(folder, { recursive: true });
  if (manifest !== undefined) writeFileSync(join(folder, "package.json"), manifest);
  const files: WrittenFile[] = [
    { path: "package.json", action: manifest === undefined ? "kept" : "written" },
    ...applyChanges(folder, projectChanges(app, region || undefined, hadConfig)),
  ];
  const project = findProject(folder) as Project;
  if (original) {
    const { file } = addSource(project, original);
    files.push({ path: file, action: "written" });
  }
  const needsInstall = manifest !== undefined && options.install !== false;
  const isInstalled = needsInstall && (await installPackages(folder, io));
  const document: InitDocument = {
    folder,
    app,
    files,
    source: original?.name ?? null,
    installed: isInstalled,
    component: hadConfig && !config.includes("@tidetable/sst") ? [...componentLines] : [],
  };
  io.stdout.write(
    options.json
      ? `${JSON.stringify(document)}\n`
      : initText(document, { arg, hasSources: hasSources(project) }),
  );
  return needsInstall && !isInstalled ? 1 : 0;
}

type Ask = Context["io"]["ask"];

async function chooseApp(folder: string, options: Options, ask: Ask): Promise<string> {
  const project = existsSync(folder) ? findProject(folder) : undefined;
  if (project?.folder === folder) return project.app;
  const suggested = suggestApp(folder);
  const answer = options.appName ?? (ask ? await ask(`the app's name [${suggested}]: `) : "");
  const app = answer.trim() || suggested;
  if (isAppName(app)) return app;
  throw initError(
    "--app",
    `"${app}" cannot be an app's name`,
    "it has letters, digits and dashes, and begins with a letter",
  );
}

/** The name that the app has already, in sst.config.ts or package.json, or the folder's. */
function suggestApp(folder: string): string {
  const text = textOf(join(folder, "sst.config.ts")) ?? "";
  const stated = /\bname:\s*["'`]([\w-]+)["'`]/.exec(text)?.[1];
  const name = stated ?? readManifest(folder)?.name ?? basename(folder);
  return nameOf(name.replace(/^@[^/]+\//, "")).replaceAll("_", "-");
}

const textOf = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, "utf8") : undefined;

async function chooseSource(
  options: Options,
  { isNew, cwd, ask }: { isNew: boolean; cwd: string; ask: Ask },
) {
  if (!isNew && options.source === undefined) return undefined;
  const names = readGallery().map(({ name }) => name);
  const question = `first source (${names.join(", ")}; a dlt file; an OpenAPI document; or none) [${firstSource}]: `;
  const answer = options.source ?? (ask ? (await ask(question)).trim() : "");
  const chosen = answer || firstSource;
  return chosen === "none" ? undefined : readOriginal(chosen, { name: undefined, cwd });
}

/** The tarballs may lie where the command runs, as after `npm run pack`. */
const tarballsHere = (folder: string): string | undefined =>
  readdirSync(folder).some((name) => /^tidetable-core-.*\.tgz$/.test(name)) ? folder : undefined;

function projectChanges(app: string, region: string | undefined, hadConfig: boolean) {
  const file = (path: string, text: string) => ({ kind: "file", path, text }) as const;
  return [
    file("sources/index.ts", sourcesText),
    file("functions/worker.ts", workerText),
    file("functions/schedule.ts", scheduleText),
    ...(hadConfig ? [] : [file("sst.config.ts", sstConfigText(app, region))]),
    file("tsconfig.json", tsconfigText),
    file(".vscode/settings.json", `${JSON.stringify(editorSettings, null, 2)}\n`),
    { kind: "lines", path: ".gitignore", lines: ignoredFiles },
    { kind: "section", path: "AGENTS.md", text: agentsText(command) },
  ] as const;
}

const hasSources = ({ sourcesFile }: Project): boolean =>
  !/register\(\{\s*\}\)/.test(textOf(sourcesFile) ?? "");

/** Runs `npm install`, whose output goes to stderr. */
const installPackages = (folder: string, { stderr, signal }: Context["io"]): Promise<boolean> =>
  new Promise((resolve) => {
    stderr.write("npm install …\n");
    const args = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
    const child = spawn("npm", args, { cwd: folder, signal, shell: process.platform === "win32" });
    for (const output of [child.stdout, child.stderr]) {
      output.on("data", (data) => stderr.write(String(data)));
    }
    child.on("error", () => resolve(false)).on("exit", (code) => resolve(code === 0));
  });

function initText(
  { app, files, component, installed }: InitDocument,
  { arg, hasSources }: { arg: string; hasSources: boolean },
): string {
  const lines = files.map(({ path, action }) => `  ${action.padEnd(8)} ${path}`);
  const steps = [
    ...(arg === "." ? [] : [`cd ${arg}`]),
    ...(installed || files[0]?.action === "kept" ? [] : ["npm install"]),
    ...(hasSources ? [`${command} run`] : [`${command} list, then ${command} add NAME`]),
    ...(component.length > 0
      ? [
          `write into run() of sst.config.ts:\n\n${component.map((line) => `       ${line}\n`).join("")}`,
        ]
      : []),
    "npx sst deploy --stage dev",
  ];
  return [
    `${app}\n${lines.join("\n")}\nnext:\n`,
    ...steps.map((step, index) => `  ${index + 1}. ${step}\n`),
  ].join("");
}
