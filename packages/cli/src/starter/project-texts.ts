/*
 * The files of a new project. They import with `.js`, which every setting of TypeScript understands,
 * and which esbuild, SST and tidetable find as `.ts`.
 */

export const workerText = `import { register } from "@tidetable/core";
import { worker, scheduler } from "@tidetable/core/lambda";
import { sources } from "../sources/index.js";

/** AWS calls this for each resource: it reads the API and writes the table. */
export const handler = worker({ sources });
`;

export const scheduleText = `import { sources } from "../sources/index.js";

/** AWS calls this on schedule: it starts the worker once for each resource. */
export const handler = scheduler({ sources });
`;

export const sourcesText = `
/** The sources of this app, by name. */
export const sources = register({});
`;

/** The lines of \`run()\` in sst.config.ts. */
export const componentLines = [
  `const { Tidetable } = await import("@tidetable/sst");`,
  `const { sources } = await import("./sources/index.js");`,
  `const mirror = new Tidetable("Mirror", {`,
  `  sources,`,
  `  worker: "functions/worker.handler",`,
  `  schedule: "functions/schedule.handler",`,
  `});`,
];

export function sstConfigText(app: string, region: string | undefined): string {
  const providers = region
    ? `\n      providers: { aws: { region: ${JSON.stringify(region)} } },`
    : "";
  return `/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  app(input) {
    const isProduction = input?.stage === "production";
    return {
      name: ${JSON.stringify(app)},
      home: "aws",
      removal: isProduction ? "retain" : "remove",
      protect: isProduction,${providers}
    };
  },
  async run() {
${componentLines.map((line) => `    ${line}`).join("\n")}
    return { tables: mirror.tables };
  },
});
`;
}

export const tsconfigText = `{
  "compilerOptions": {
    "target": "es2023",
    "module": "esnext",
    "moduleResolution": "bundler",
    "strict": true,
    "skipLibCheck": true,
    "noEmit": true
  },
  "include": ["sources", "functions"]
}
`;

/** What git is to leave alone: local tables and credentials, and what SST generates. */
export const ignoredFiles = ["node_modules", ".sst", ".tidetable"];

export const agentsText = (command: string): string => `## tidetable

\`sources/\` has one file for each API that is mirrored into DynamoDB tables; \`sources/index.ts\` registers
them. A source is a dlt \`rest_api\` dict. The way to change one:

1. \`${command} preview SOURCE RESOURCE --json\` shows the first records, their schema and warnings with hints.
2. \`${command} check SOURCE --json\` reads one page of each resource and writes nothing.
3. \`${command} run SOURCE\` fills local tables in \`.tidetable/\`; \`${command} items SOURCE/RESOURCE\` prints them.
4. \`${command} plan SOURCE --json\` shows tables, keys, schedules and first requests.

Credentials are never in a file of the repository: \`${command} secrets set SOURCE\`.
`;

/** Lets editors complete and check sources that are written as JSON. */
export const editorSettings = {
  "json.schemas": [
    {
      fileMatch: ["/sources/*.json"],
      url: "./node_modules/@tidetable/core/rest_api.schema.json",
    },
  ],
};
