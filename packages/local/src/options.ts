import { resolve } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { Io } from "./io.ts";
import { localNames } from "./names.ts";

/** What a command line says, settled: paths are absolute, numbers are numbers. */
export interface Options {
  /** Folder of the embedded engine and of local state. */
  data: string;
  /** Endpoint of another engine than the embedded one. */
  dynamodb?: string;
  /** File with the source's secret values. */
  secrets?: string;
  /** The source's name, where the file's name is not it. */
  name?: string;
  json: boolean;
  /** The deployed stage to act on, instead of this machine. */
  stage?: string;
  /** `run`: only these resources. */
  resource?: string[];
  /** `run`: a sample of so many pages per resource. */
  limitPages?: number;
  /** `run`: from the start, and with the sweep of what is not there any more. */
  fullRefresh?: boolean;
  /** `run`: the bundles that AWS would get, under a Lambda service of this machine. */
  lambda?: boolean;
  /** `items`, `preview`: at most so many. */
  limit?: number;
  /** `plan`: what it costs, too. */
  cost?: boolean;
  /** `schema`: as JSON Schema. */
  jsonSchema?: boolean;
  /** `schema`: what the last version has changed. */
  diff?: boolean;
  /** `types`: zod schemas. */
  zod?: boolean;
  /** `reset`: the items, too. */
  tables?: boolean;
  /** `import`, `types`: the file to write. */
  out?: string;
  /** What would be asked is meant. */
  yes?: boolean;
}

/** What a command gets, and all that it may touch. */
export interface Context {
  /** The operands: sources, or one SOURCE/RESOURCE. */
  args: string[];
  options: Options;
  io: Io;
}

export const common = [
  new Option("--name <name>", "the source's name (default: the name of its file)"),
  new Option("--data <dir>", "folder of the embedded engine and of local state").default(
    ".tidetable",
  ),
  new Option("--dynamodb <url>", "this DynamoDB endpoint instead of the embedded engine").argParser(
    endpoint,
  ),
  new Option("--secrets <file>", 'JSON object of secret values, such as {"api_key": "…"}'),
  new Option("--json", "machine output on stdout, everything else on stderr"),
];

export const stage = stageOption();

/** Of commands that mean nothing on this machine. */
export const someStage = stageOption()
  .makeOptionMandatory()
  .argParser((value: string) => {
    if (value !== localNames.stage) return stageName(value);
    throw new InvalidArgumentError("On this machine there is no failure queue.");
  });

function stageOption(): Option {
  return new Option("--stage <stage>", "the stage that is deployed in AWS, not this machine")
    .argParser(stageName)
    .conflicts(["name", "data", "dynamodb", "secrets", "lambda"]);
}

export const resource = new Option("--resource <name>", "only this resource; repeatable").argParser(
  (value: string, before: string[] = []) => [...before, value],
);

export const limitPages = new Option(
  "--limit-pages <n>",
  "a sample: so many pages of each resource, no cursor committed",
).argParser(positive);

export const fullRefresh = new Option(
  "--full-refresh",
  "read everything, then delete the rows that the API no longer shows",
);

export const lambda = new Option(
  "--lambda",
  "as in AWS: the bundled functions, each in a process of its own, under a local Lambda service",
);

export const yes = new Option("--yes", "ask nothing: what is to be deleted or doubled is meant");

export const tables = new Option("--tables", "delete the tables' items, too");

export const out = new Option("--out <file>", "the file to write (default: standard output)");

export const limit = new Option("--limit <n>", "at most so many items").argParser(positive);

export const records = new Option("--limit <n>", "so many records").argParser(positive).default(10);

export const cost = new Option("--cost", "dollars per run and month, from the last runs");

export const jsonSchema = new Option("--json-schema", "as the JSON Schema of an item");

export const diff = new Option("--diff", "what has changed since the version before").conflicts(
  "jsonSchema",
);

export const zod = new Option("--zod", "zod schemas, and the types that follow from them");

export function settle({ stage, ...given }: Options, io: Io): Options {
  const path = (file: string) => resolve(io.cwd, file);
  return {
    ...given,
    json: given.json === true,
    data: path(given.data),
    // What a worker on this machine calls its stage is no stage in AWS.
    ...(stage === undefined || stage === localNames.stage ? {} : { stage }),
    ...(given.secrets === undefined ? {} : { secrets: path(given.secrets) }),
  };
}

function positive(value: string): number {
  if (!/^[1-9]\d{0,14}$/.test(value)) throw new InvalidArgumentError("It has to be 1 or more.");
  return Number(value);
}

function endpoint(value: string): string {
  if (/^https?:\/\/./.test(value) && URL.canParse(value)) return value;
  throw new InvalidArgumentError("It has to be a URL such as http://127.0.0.1:8000.");
}

function stageName(value: string): string {
  if (/^[a-zA-Z0-9-]+$/.test(value)) return value;
  throw new InvalidArgumentError("It has letters, digits and dashes, as for `npx sst deploy`.");
}
