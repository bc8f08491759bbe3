import type { Option } from "commander";
import {
  type Context,
  cost,
  diff,
  fullRefresh,
  jsonSchema,
  lambda,
  limit,
  limitPages,
  out,
  records,
  resource,
  someStage,
  stage,
  tables,
  yes,
  zod,
} from "./options.ts";

export interface Entry {
  /** As commander reads it. */
  usage: string;
  summary: string;
  options: Option[];
  /** Imported when it is called: `--help` loads no SDK and no engine. */
  load: () => Promise<(context: Context) => Promise<number>>;
}

export const entries: Entry[] = [
  {
    usage: "run [source...]",
    summary: "mirror sources into their tables (default: all that are registered)",
    options: [resource, fullRefresh, yes, limitPages, lambda, stage],
    load: async () => (await import("./commands/run.ts")).run,
  },
  {
    usage: "check [source...]",
    summary: "validate config, secrets and connection: reads one page per resource, writes nothing",
    options: [stage],
    load: async () => (await import("./commands/check.ts")).check,
  },
  {
    usage: "preview <source> <resource>",
    summary: "show the first records and what they tell of the schema; writes nothing",
    options: [records],
    load: async () => (await import("./commands/preview.ts")).preview,
  },
  {
    usage: "plan [source...]",
    summary: "print tables, keys, schedule and first requests; no network",
    options: [cost, stage],
    load: async () => (await import("./commands/plan.ts")).plan,
  },
  {
    usage: "import <file>",
    summary: "make a TypeScript source of a dlt config in Python or JSON",
    options: [out, yes],
    load: async () => (await import("./commands/import.ts")).importFile,
  },
  {
    usage: "items <source/resource>",
    summary: "print a table's items in key order",
    options: [limit, stage],
    load: async () => (await import("./commands/items.ts")).items,
  },
  {
    usage: "schema <source/resource>",
    summary: "print the fields of a table: found in its records, and declared",
    options: [jsonSchema, diff, stage],
    load: async () => (await import("./commands/schema.ts")).schema,
  },
  {
    usage: "types <source>",
    summary: "write the rows of a source's tables as TypeScript",
    options: [out, zod, stage],
    load: async () => (await import("./commands/types.ts")).types,
  },
  {
    usage: "state [source[/resource]]",
    summary: "print cursors, checkpoints, leases and last runs",
    options: [stage],
    load: async () => (await import("./commands/state.ts")).state,
  },
  {
    usage: "status [source[/resource]]",
    summary: "print how fresh each table is, and its last run with its cost",
    options: [stage],
    load: async () => (await import("./commands/status.ts")).status,
  },
  {
    usage: "exec <command...>",
    summary: "run a program of yours on the local tables, as in: exec -- node app.ts",
    options: [],
    load: async () => (await import("./commands/exec.ts")).exec,
  },
  {
    usage: "reset <source[/resource]>",
    summary: "forget cursors and open runs: the next run reads everything",
    options: [tables, yes, stage],
    load: async () => (await import("./commands/reset.ts")).reset,
  },
];

/** Commands of two words. */
export const groups: { name: string; summary: string; entries: Entry[] }[] = [
  {
    name: "quarantine",
    summary: "records that were set aside",
    entries: [
      {
        usage: "list [source[/resource]]",
        summary: "print the records that were set aside, each with its reason",
        options: [stage],
        load: async () => (await import("./commands/quarantine.ts")).list,
      },
      {
        usage: "replay <source/resource>",
        summary: "put them through again",
        options: [stage],
        load: async () => (await import("./commands/quarantine.ts")).replay,
      },
    ],
  },
  {
    name: "secrets",
    summary: "credentials of the sources",
    entries: [
      {
        usage: "set <source>",
        summary: "ask for a source's credentials and keep them, here or in a stage",
        options: [stage],
        load: async () => (await import("./commands/secrets.ts")).set,
      },
    ],
  },
  {
    name: "failures",
    summary: "events that a stage has given up",
    entries: [
      {
        usage: "list",
        summary: "print what stands in the failure queue, each with its error",
        options: [someStage],
        load: async () => (await import("./commands/failures.ts")).list,
      },
      {
        usage: "redrive [source[/resource]]",
        summary: "send it through again",
        options: [someStage],
        load: async () => (await import("./commands/failures.ts")).redrive,
      },
    ],
  },
];

/** What `npm start` calls: no command of its own, so not in the help. */
export const demo: Entry = {
  usage: "start",
  summary: "run the five sources twice against the sample API",
  options: [lambda],
  load: async () => (await import("./start.ts")).start,
};
