import { join, resolve } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { Io } from "./io.ts";
import { localNames } from "./names.ts";
import { findProject, installingProject } from "./project.ts";

/** The options of a command line after parsing: paths are absolute, numbers are numbers. */
export interface Options {
  /** Folder of the embedded engine and of local state. */
  data: string;
  /** Endpoint of a DynamoDB that replaces the embedded engine. */
  dynamodb?: string;
  /** File with the source's secret values. */
  secrets?: string;
  /** The source's name, if different from the file's. */
  name?: string;
  /** Values of the stage, which win over those of its files. */
  set?: Record<string, string>;
  json: boolean;
  /** The name of the project's app, which a deployed stage has in its names. */
  app: string;
  /** The deployed stage to act on. Undefined for local mode. */
  stage?: string;
  /** `run`: only these resources. */
  resource?: string[];
  /** `run`: the number of pages that a sample reads of each resource. */
  limitPages?: number;
  /** `run`: read from the start, then sweep rows missing in the API. */
  fullRefresh?: boolean;
  /** `run`: run the bundles that AWS would get, under the local Lambda service. */
  lambda?: boolean;
  /** `invoke`: hand the event to a worker instead of the schedule function. */
  worker?: boolean;
  /** `items`, `preview`: the largest number of items or records to print. */
  limit?: number;
  /** `plan`: also estimate the costs. */
  cost?: boolean;
  /** `schema`: print a JSON Schema. */
  jsonSchema?: boolean;
  /** `schema`: print what the last version changed. */
  diff?: boolean;
  /** `reset`: also delete the items. */
  tables?: boolean;
  /** `import`, `types`: the file to write. */
  out?: string;
  /** Skips the confirmation. */
  yes?: boolean;
  /** `init`: the app's name. */
  appName?: string;
  /** `init`: the first source. */
  source?: string;
  /** `init`: the AWS region. */
  region?: string;
  /** `init`: the folder with the packed packages. */
  packages?: string;
  /** `init`: false leaves out `npm install`. */
  install?: boolean;
}

/** The arguments of a command, and everything a command may touch. */
export interface Context {
  /** The operands: sources, or one SOURCE/RESOURCE. */
  args: string[];
  options: Options;
  io: Io;
}

export const commonOptions = [
  new Option("--name <name>", "the source's name (default: the name of its file)"),
  new Option(
    "--data <dir>",
    "folder of the embedded engine and of local state (default: .tidetable in the project's folder, or here)",
  ),
  new Option("--dynamodb <url>", "this DynamoDB endpoint instead of the embedded engine").argParser(
    parseEndpoint,
  ),
  new Option("--secrets <file>", 'JSON object of secret values, such as {"api_key": "…"}'),
  new Option("--set <name=value>", "a value that the config asks for; repeatable").argParser(
    parseSetting,
  ),
  new Option("--json", "machine output on stdout, everything else on stderr"),
];

export const stageOption = createStageOption();

/** The --stage option of commands that have no local mode. */
export const requiredStageOption = createStageOption()
  .makeOptionMandatory()
  .argParser((value: string) => {
    if (value !== localNames.stage) return parseStageName(value);
    throw new InvalidArgumentError("On this machine there is no failure queue.");
  });

function createStageOption(): Option {
  return new Option("--stage <stage>", "the stage that is deployed in AWS, not this machine")
    .argParser(parseStageName)
    .conflicts(["name", "data", "dynamodb", "secrets", "lambda"]);
}

export const resourceOption = new Option(
  "--resource <name>",
  "only this resource; repeatable",
).argParser((value: string, previous: string[] = []) => [...previous, value]);

export const limitPagesOption = new Option(
  "--limit-pages <n>",
  "a sample: this many pages of each resource, no cursor committed",
).argParser(parsePositive);

export const fullRefreshOption = new Option(
  "--full-refresh",
  "read everything, then delete the rows that the API no longer shows",
);

export const workerOption = new Option(
  "--worker",
  "hand the event to a worker instead of the schedule function",
);

export const lambdaOption = new Option(
  "--lambda",
  "as in AWS: the bundled functions, each in a process of its own, under a local Lambda service",
);

export const yesOption = new Option(
  "--yes",
  "do not ask: delete, replace or append once more without a confirmation",
);

export const initOptions = [
  new Option("--app-name <name>", "the app's name (default: as in sst.config.ts, or the folder's)"),
  new Option("--source <source>", "the first source: a name of `list`, a file, or none"),
  new Option("--region <region>", "the AWS region (default: as the credentials say)"),
  new Option("--packages <dir>", "the folder with tidetable's packed packages"),
  new Option("--no-install", "leave out npm install"),
  new Option("--yes", "ask nothing: take the defaults"),
];

export const tablesOption = new Option("--tables", "also delete the tables' items");

export const outOption = new Option("--out <file>", "the file to write (default: standard output)");

export const itemLimitOption = new Option("--limit <n>", "at most this many items").argParser(
  parsePositive,
);

export const recordLimitOption = new Option("--limit <n>", "the number of records")
  .argParser(parsePositive)
  .default(10);

export const costOption = new Option("--cost", "dollars per run and month, from the last runs");

export const jsonSchemaOption = new Option("--json-schema", "as the JSON Schema of an item");

export const diffOption = new Option(
  "--diff",
  "what has changed since the previous version",
).conflicts("jsonSchema");

/** The options as commander parses them. */
type ParsedOptions = Omit<Options, "app" | "data"> & { data?: string };

/**
 * Makes the paths absolute. A stage named like the local one means local mode. In a project, the data
 * folder is the project's, from whichever of its folders the command runs.
 */
export function settleOptions({ stage, ...parsed }: ParsedOptions, io: Io): Options {
  const absolute = (file: string) => resolve(io.cwd, file);
  const project = findProject(io.cwd);
  return {
    ...parsed,
    app: (project ?? installingProject())?.app ?? localNames.app,
    json: parsed.json === true,
    data: parsed.data ? absolute(parsed.data) : join(project?.folder ?? io.cwd, ".tidetable"),
    ...(stage === undefined || stage === localNames.stage ? {} : { stage }),
    ...(parsed.secrets === undefined ? {} : { secrets: absolute(parsed.secrets) }),
  };
}

function parseSetting(text: string, previous: Record<string, string> = {}) {
  const [, name, content] = /^([\w.-]+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || content === undefined) {
    throw new InvalidArgumentError("It has to be NAME=VALUE.");
  }
  return { ...previous, [name]: content };
}

function parsePositive(value: string): number {
  if (!/^[1-9]\d{0,14}$/.test(value)) throw new InvalidArgumentError("It has to be 1 or more.");
  return Number(value);
}

function parseEndpoint(value: string): string {
  if (/^https?:\/\/./.test(value) && URL.canParse(value)) return value;
  throw new InvalidArgumentError("It has to be a URL such as http://127.0.0.1:8000.");
}

function parseStageName(value: string): string {
  if (/^[a-zA-Z0-9-]+$/.test(value)) return value;
  throw new InvalidArgumentError("It has letters, digits and dashes, as for `npx sst deploy`.");
}
