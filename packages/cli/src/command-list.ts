import type { Option } from "commander";
import {
  type Context,
  costOption,
  diffOption,
  fullRefreshOption,
  initOptions,
  itemLimitOption,
  jsonSchemaOption,
  lambdaOption,
  limitPagesOption,
  outOption,
  recordLimitOption,
  requiredStageOption,
  resourceOption,
  stageOption,
  tablesOption,
  workerOption,
  yesOption,
} from "./base/options.ts";

export interface CommandEntry {
  /** The command's words, in commander's syntax. */
  usage: string;
  summary: string;
  options: Option[];
  /** Imports the command's module on demand: `--help` loads neither SDK nor engine. */
  load: () => Promise<(context: Context) => Promise<number>>;
}

export const commands: CommandEntry[] = [
  {
    usage: "run [source...]",
    summary: "mirror sources into their tables (default: all registered sources)",
    options: [
      resourceOption,
      fullRefreshOption,
      yesOption,
      limitPagesOption,
      lambdaOption,
      stageOption,
    ],
    load: async () => (await import("./commands/run.ts")).runSources,
  },
  {
    usage: "check [source...]",
    summary: "validate config, secrets and connection: reads one page per resource, writes nothing",
    options: [stageOption],
    load: async () => (await import("./commands/check.ts")).checkSources,
  },
  {
    usage: "preview <source> <resource>",
    summary: "show the first records and the schema that they imply; writes nothing",
    options: [recordLimitOption],
    load: async () => (await import("./commands/preview.ts")).printPreview,
  },
  {
    usage: "plan [source...]",
    summary: "print tables, keys, schedule and first requests; no network",
    options: [costOption, stageOption],
    load: async () => (await import("./commands/plan.ts")).printPlan,
  },
  {
    usage: "init [dir]",
    summary: "write a project, or what is missing in one; changes no file that is there",
    options: initOptions,
    load: async () => (await import("./commands/init.ts")).initProject,
  },
  {
    usage: "add <name>",
    summary: "copy a source into the project: of the gallery, a dlt file, an OpenAPI document",
    options: [],
    load: async () => (await import("./commands/add.ts")).addToProject,
  },
  {
    usage: "list",
    summary: "print the gallery of sources to begin with",
    options: [],
    load: async () => (await import("./commands/list.ts")).listGallery,
  },
  {
    usage: "import <file>",
    summary: "turn a dlt config in Python or JSON into a TypeScript source",
    options: [outOption, yesOption],
    load: async () => (await import("./commands/import.ts")).importFile,
  },
  {
    usage: "items <source/resource>",
    summary: "print a table's items in key order",
    options: [itemLimitOption, stageOption],
    load: async () => (await import("./commands/items.ts")).printItems,
  },
  {
    usage: "schema <source/resource>",
    summary: "print the fields of a table, found in its records or declared",
    options: [jsonSchemaOption, diffOption, stageOption],
    load: async () => (await import("./commands/schema.ts")).printSchema,
  },
  {
    usage: "types <source>",
    summary: "write the rows of a source's tables as TypeScript",
    options: [outOption, stageOption],
    load: async () => (await import("./commands/types.ts")).writeTypes,
  },
  {
    usage: "state [source[/resource]]",
    summary: "print cursors, checkpoints, leases and last runs",
    options: [stageOption],
    load: async () => (await import("./commands/state.ts")).printState,
  },
  {
    usage: "status [source[/resource]]",
    summary: "print how fresh each table is, and its last run with its cost",
    options: [stageOption],
    load: async () => (await import("./commands/status.ts")).printStatus,
  },
  {
    usage: "exec <command...>",
    summary: "run your program with the local tables, as in: exec -- node app.ts",
    options: [],
    load: async () => (await import("./commands/exec.ts")).executeProgram,
  },
  {
    usage: "env",
    summary: "print endpoint and keys of the local tables for other programs",
    options: [],
    load: async () => (await import("./commands/env.ts")).printEnvironment,
  },
  {
    usage: "invoke <event> [source...]",
    summary: "hand an event (a JSON file, or - for stdin) to the functions on this machine",
    options: [workerOption],
    load: async () => (await import("./commands/invoke.ts")).invokeFunction,
  },
  {
    usage: "reset <source[/resource]>",
    summary: "forget cursors and open runs: the next run reads everything",
    options: [tablesOption, yesOption, stageOption],
    load: async () => (await import("./commands/reset.ts")).resetResources,
  },
];

/** Commands of two words: the group's name, then the command's. */
export const commandGroups: { name: string; summary: string; entries: CommandEntry[] }[] = [
  {
    name: "quarantine",
    summary: "records that were set aside",
    entries: [
      {
        usage: "list [source[/resource]]",
        summary: "print the records that were set aside, each with its reason",
        options: [stageOption],
        load: async () => (await import("./commands/quarantine.ts")).listQuarantined,
      },
      {
        usage: "replay <source/resource>",
        summary: "process the records of a resource again",
        options: [stageOption],
        load: async () => (await import("./commands/quarantine.ts")).replayQuarantined,
      },
    ],
  },
  {
    name: "secrets",
    summary: "credentials of the sources",
    entries: [
      {
        usage: "set <source>",
        summary: "ask for a source's credentials and store them, here or in a stage",
        options: [stageOption],
        load: async () => (await import("./commands/secrets.ts")).setSecrets,
      },
    ],
  },
  {
    name: "failures",
    summary: "events that Lambda gave up in a stage",
    entries: [
      {
        usage: "list",
        summary: "print the events in the failure queue, each with its error",
        options: [requiredStageOption],
        load: async () => (await import("./commands/failures.ts")).listFailures,
      },
      {
        usage: "redrive [source[/resource]]",
        summary: "send events to their workers again",
        options: [requiredStageOption],
        load: async () => (await import("./commands/failures.ts")).redriveFailures,
      },
    ],
  },
];

/** The command of `npm start`. It is not in the help. */
export const demoCommand: CommandEntry = {
  usage: "start",
  summary: "run the five sources twice against the sample API",
  options: [lambdaOption],
  load: async () => (await import("./commands/start.ts")).startDemo,
};
