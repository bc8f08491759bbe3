import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The records on a page of the stub API. */
export const PAGE_SIZE = 100;

export interface Stubs {
  api: string;
  dynamodb: string;
}

/** The situation before a loop. The table is empty, unless `keepTable` is set. */
export interface LoopSetting {
  records: number;
  pageMs?: number;
  writeMs?: number;
  keepTable?: boolean;
  /** Stores only the keys of rows, because a soak's rows exceed the memory. */
  keysOnly?: boolean;
}

/** The counts of the stub endpoint since the previous reading. */
export interface StoredCounts {
  /** Puts of rows, without the items of the state table. */
  puts: number;
  /** The number of rows in the table. */
  items: number;
  /** The sum of the rows' keys. A lost or a wrong row changes the sum. */
  sum: number;
  writeUnits: number;
  readUnits: number;
}

/** Starts a program of `stubs/` and resolves to the URL. The program ends with the parent process. */
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

export async function prepareStubs(
  { api, dynamodb }: Stubs,
  { records, pageMs = 0, writeMs = 0, keepTable = false, keysOnly = false }: LoopSetting,
): Promise<void> {
  await fetchText(`${api}/control?records=${records}&latency=${pageMs}`);
  const parameters = `${keepTable ? "&as-it-is" : ""}${keysOnly ? "&keep=keys" : ""}`;
  await fetchText(`${dynamodb}/control?latency=${writeMs}${parameters}`);
}

export async function readStored({ dynamodb }: Stubs): Promise<StoredCounts> {
  return JSON.parse(await fetchText(`${dynamodb}/written`));
}

async function fetchText(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** Throws when a row or a key is missing, or was put twice. */
export function checkStored(
  { puts, items, sum }: StoredCounts,
  expected: { items: number; sum: number; puts: number },
): void {
  const actualText = JSON.stringify({ items, sum, puts });
  const { items: expectedItems, sum: expectedSum, puts: expectedPuts } = expected;
  const expectedText = JSON.stringify({
    items: expectedItems,
    sum: expectedSum,
    puts: expectedPuts,
  });
  if (actualText !== expectedText) {
    throw new Error(`wrong result: ${actualText} instead of ${expectedText}`);
  }
}

/** The sum of the keys 1 to `last`. */
export const sumOfKeys = (last: number): number => (last * (last + 1)) / 2;
