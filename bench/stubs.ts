import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Rows of the stub API that a page has. */
export const PAGE = 100;

export interface Stubs {
  api: string;
  dynamodb: string;
}

/** What a loop finds before it. Nothing is in the table, unless it is said to stay. */
export interface Setting {
  records: number;
  pageMs?: number;
  writeMs?: number;
  keepTable?: boolean;
  /** Of rows, their keys alone: more of them than fit into memory. */
  keysOnly?: boolean;
}

/** What the stub endpoint was given since it was asked for the last time. */
export interface Stored {
  /** Puts of rows; what goes into the state table is not among them. */
  puts: number;
  /** Rows that there are, and the sum of their keys: a fast loop that loses one is not fast. */
  items: number;
  sum: number;
  writeUnits: number;
  readUnits: number;
}

/** Starts a program of `stubs/` and resolves to where it listens. It ends when this process does. */
export async function startStub(name: "api" | "dynamodb" | "lambda"): Promise<{
  url: string;
  stop: () => void;
}> {
  const program = fileURLToPath(new URL(`stubs/${name}.ts`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (!child.stdout) throw new Error("a stub has no output");
  const [url] = await once(createInterface(child.stdout), "line");
  return { url, stop: () => child.stdin?.end() };
}

export async function startStubs(): Promise<Stubs & { stop: () => void }> {
  const [api, dynamodb] = await Promise.all([startStub("api"), startStub("dynamodb")]);
  const stop = () => {
    api.stop();
    dynamodb.stop();
  };
  return { api: api.url, dynamodb: dynamodb.url, stop };
}

export async function prepare(
  { api, dynamodb }: Stubs,
  { records, pageMs = 0, writeMs = 0, keepTable = false, keysOnly = false }: Setting,
): Promise<void> {
  await get(`${api}/control?records=${records}&latency=${pageMs}`);
  const rest = `${keepTable ? "&as-it-is" : ""}${keysOnly ? "&keep=keys" : ""}`;
  await get(`${dynamodb}/control?latency=${writeMs}${rest}`);
}

export async function written({ dynamodb }: Stubs): Promise<Stored> {
  return JSON.parse(await get(`${dynamodb}/written`));
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** Throws when a row or a key is missing, or was put twice. */
export function checkStored(
  { puts, items, sum }: Stored,
  wanted: { items: number; sum: number; puts: number },
): void {
  const found = JSON.stringify({ items, sum, puts });
  const due = JSON.stringify({ items: wanted.items, sum: wanted.sum, puts: wanted.puts });
  if (found !== due) throw new Error(`wrong result: ${found} instead of ${due}`);
}

/** The sum of the keys 1 to `last`. */
export const sumTo = (last: number): number => (last * (last + 1)) / 2;
