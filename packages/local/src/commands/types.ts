import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError, columnsOf, type ResourcePlan } from "@tidetable/core";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import { formatAmount } from "../output/render.ts";
import { currentColumns, readResourceSchema } from "../schema/kept-schema.ts";
import {
  type DescribedResource,
  docComment,
  rowType,
  typescriptText,
  usesDecimal,
  zodText,
} from "../schema/row-types.ts";
import { openSession } from "../session/session.ts";
import { loadResourcePlans } from "../sources/target.ts";

/** What `types --json` prints. */
interface TypesDocument {
  source: string;
  /** The file that was written. */
  out: string | null;
  typescript: string;
  resources: { resource: string; version: number; type: string }[];
}

/** `types`: the rows of a source's tables as TypeScript, from what is declared and was seen. */
export async function writeTypes({ args: [target = ""], options, io }: Context): Promise<number> {
  const resources = await loadResourcePlans(target, options, io);
  const session = await openSession(options);
  try {
    const described = await describe(resources, session);
    if (described.length === 0) throw unknown(target);
    const known = described.map(({ resource }) => resource);
    for (const { source, name, selected } of resources.filter((one) => !known.includes(one))) {
      if (selected)
        io.stderr.write(`${source}.${name}: left out, for it has no schema yet; run it first\n`);
    }

    const stage = options.stage === undefined ? "" : ` --stage ${options.stage}`;
    const command = `tidetable types ${target}${options.zod ? " --zod" : ""}${stage}`;
    const out = options.out ?? null;
    const document: TypesDocument = {
      source: known[0]?.source ?? "",
      out,
      typescript: fileText(described, command, options.zod ? zodFile : typeFile),
      resources: described.map(({ resource, version, typeName }) => ({
        resource: resource.name,
        version,
        type: typeName,
      })),
    };
    if (out !== null) await put(resolve(io.cwd, out), out, document.typescript);
    if (options.json) io.stdout.write(`${JSON.stringify(document)}\n`);
    else if (out === null) io.stdout.write(document.typescript);
    else io.stderr.write(`${out}: written, with ${formatAmount(described.length, "type")}\n`);
    return 0;
  } finally {
    await session.close();
  }
}

async function describe(resources: ResourcePlan[], session: Session): Promise<DescribedResource[]> {
  const kept = await Promise.all(
    resources.map((resource) => readResourceSchema(resource, session)),
  );
  // What the file itself says must stay what it is.
  const taken = new Set(["Tables", "Decimal", "Record", "Uint8Array"]);
  return resources.flatMap((resource, i) => {
    const found = kept[i];
    if (!found || !resource.selected) return [];
    const typeName = unique(pascal(resource.name), taken);
    const { shape: seen, version } = found;
    // Of a table that was emptied its last version is known.
    const columns = seen ? columnsOf(seen, resource) : currentColumns(found, resource);
    return { resource, columns, seen, version: version?.version ?? 0, typeName };
  });
}

/** `support_tickets` → `SupportTickets`. A type's name does not begin with a digit. */
const pascal = (name: string): string =>
  name
    .split("_")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("")
    .replace(/^(?=\d|$)/, "Row");

function unique(name: string, taken: Set<string>): string {
  let found = name;
  for (let n = 2; taken.has(found); n++) found = name + n;
  taken.add(found);
  return found;
}

// ── The file ─────────────────────────────────────────────────────────────────────────────────────

interface Kind {
  imports: (hasDecimal: boolean) => string;
  declaration: (described: DescribedResource) => string;
}

const typeFile: Kind = {
  imports: (hasDecimal) =>
    hasDecimal ? `import type { Decimal } from "@tidetable/reader";\n\n` : "",
  declaration: (one) => `export interface ${one.typeName} ${typescriptText(rowType(one))}\n`,
};

const zodFile: Kind = {
  imports: (hasDecimal) =>
    `${hasDecimal ? `import { Decimal } from "@tidetable/reader";\n` : ""}import { z } from "zod";\n\n`,
  declaration: (one) =>
    `export const ${one.typeName} = ${zodText(rowType(one))};
export type ${one.typeName} = z.infer<typeof ${one.typeName}>;
`,
};

/** No date: the file changes when the schema does. */
function fileText(described: DescribedResource[], command: string, kind: Kind): string {
  const hasDecimal = described.some((one) => usesDecimal(rowType(one)));
  const declarations = described.map((one) => {
    const { source, name } = one.resource;
    const title = `A row of ${source}/${name}, by version ${one.version} of its schema.`;
    return `${docComment(title, "")}${kind.declaration(one)}\n`;
  });
  const rows = described.map(({ resource, typeName }) => `  "${resource.name}": ${typeName};\n`);
  return [
    `// Made by \`${command}\`: make it anew rather than change it.\n\n`,
    kind.imports(hasDecimal),
    ...declarations,
    `/** The rows of each table: table<Tables["${described[0]?.resource.name}"]>(…). */\n`,
    `export interface Tables {\n${rows.join("")}}\n`,
  ].join("");
}

async function put(path: string, out: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw invalid(out, `the file can not be written (${code})`);
  }
}

const unknown = (target: string) =>
  invalid(
    target,
    "nothing is known of its fields: it has not run, and it declares none",
    `run it first: npx tidetable run ${target}`,
  );

const invalid = (path: string, message: string, hint?: string) =>
  new ConfigError({ code: "cli.types", message, problems: [{ path, message, hint }] });
