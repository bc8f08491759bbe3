import { ConfigError } from "@tidetable/core/internal/config";
import type { Context } from "../base/options.ts";
import { findProject } from "../base/project.ts";
import { addSource } from "../starter/add-source.ts";
import { readOriginal, secretsIn } from "../starter/copied-source.ts";

/** `add NAME|FILE`: copies a source into the project and registers it. */
export async function addToProject({ args: [arg = ""], options, io }: Context): Promise<number> {
  const project = findProject(io.cwd);
  if (!project) {
    const message = "there is no project here";
    const hint = "`npx --no tidetable init` writes one";
    const problems = [{ path: io.cwd, message, hint }];
    throw new ConfigError({ code: "cli.add", message, problems });
  }
  const original = await readOriginal(arg, { name: options.name, cwd: io.cwd });
  const { file, openLines } = addSource(project, original);
  const { name, notes } = original;
  const secrets = secretsIn(original.text);
  if (options.json) {
    const document = { source: name, file, secrets, notes, open_lines: openLines };
    io.stdout.write(`${JSON.stringify(document)}\n`);
    return 0;
  }
  const steps = [
    ...(openLines.length > 0
      ? [`register it by hand:\n       ${openLines.join("\n       ")}`]
      : []),
    ...(secrets.length > 0
      ? [`npx --no tidetable secrets set ${name}   (${secrets.join(", ")})`]
      : []),
    `npx --no tidetable check ${name}`,
    `npx --no tidetable run ${name}`,
  ];
  io.stdout.write(
    [
      `${file}: written${openLines.length === 0 ? ", and registered" : ""}; it is yours to edit\n`,
      ...notes.map((note) => `note: ${note}\n`),
      "next:\n",
      ...steps.map((step, index) => `  ${index + 1}. ${step}\n`),
    ].join(""),
  );
  return 0;
}
