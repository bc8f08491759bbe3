import { expect } from "vitest";
import type { JsonObject } from "../../packages/core/src/values/json.ts";
import { jsonText } from "../../packages/core/src/values/json-text.ts";
import { parseJson } from "../../packages/core/src/values/parse-json.ts";
import type { ApiRequest } from "../support/api.ts";
import { parseLine } from "./api.ts";
import type { Records, RequestParts, Run } from "./rows.ts";

/** The exit code and the output of a command. */
export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function checkNoSecret({ stdout, stderr }: CommandResult, values: string[]) {
  for (const value of values.filter(({ length }) => length > 5)) {
    expect(stdout + stderr).not.toContain(value);
  }
}

export function checkOutcome({ code, stdout, stderr }: CommandResult, run: Run): void {
  const { problems, fails, report, reports = {}, says = [] } = run;
  const document = JSON.parse(stdout || `{"status":${JSON.stringify(stderr)}}`);
  if (problems) {
    expect(document.status).toBe("invalid");
    const paths: string[] = document.problems.map(({ path }: { path: string }) => path);
    expect(paths.sort()).toEqual(problems.map(([path]) => path).sort());
    for (const [path, ...words] of problems) {
      const texts = document.problems
        .filter((problem: { path: string }) => problem.path === path)
        .map(({ message, hint }: Record<string, string>) => `${message}; ${hint}`);
      for (const word of words) expect(texts.join("\n")).toMatch(word);
    }
    expect(code).toBe(2);
    return;
  }
  const resources: Record<string, never>[] = document.resources ?? [];
  const errors = resources.flatMap(({ error }) => error ?? []) as Record<string, string>[];
  if (fails) {
    const [expectedCode, ...words] = fails;
    expect(errors[0] ?? document).toMatchObject({ code: expectedCode });
    const text = `${errors[0]?.message}; ${errors[0]?.hint}`;
    for (const word of words) expect(text).toMatch(word);
  } else if (Object.keys(reports).length === 0) {
    expect(errors).toEqual([]);
    expect(document.status).toBe("succeeded");
  }
  expect(code).toBe(document.status === "succeeded" ? 0 : 1);
  if (report) expect(resources[0]).toMatchObject(report);
  for (const [name, expected] of Object.entries(reports)) {
    expect(resources.find(({ resource }) => resource === name)).toMatchObject(expected);
  }
  for (const word of says) expect(stderr).toMatch(word);
}

export function checkRequests(
  sentRequests: ApiRequest[],
  { requests, headers }: Run,
  isOrdered: boolean,
): void {
  const inOrder = <T extends { line: string }>(lines: T[]): T[] =>
    isOrdered ? lines : lines.toSorted((a, b) => compareStrings(a.line, b.line));
  const sent = inOrder(
    sentRequests.map((request) => ({
      line: lineOf({ ...request, query: [...request.query] }),
      ...request,
    })),
  );
  for (const [name, value] of Object.entries(headers ?? {})) {
    const values = sent
      .filter(({ path }) => path !== "/token")
      .map((request) => request.headers[name]);
    expect([...new Set(values)]).toEqual([value ?? undefined]);
  }
  if (!requests) return;
  const expected = inOrder(
    requests.map((request) => {
      const [line, parts = {}] = [request].flat(1) as [string, RequestParts?];
      return { line: lineOf(parseLine(line)), parts };
    }),
  );
  expect(sent.map(({ line }) => line)).toEqual(expected.map(({ line }) => line));
  for (const [index, { parts }] of expected.entries()) {
    const request = sent[index] as ApiRequest;
    for (const [name, value] of Object.entries(parts.headers ?? {})) {
      expect(request.headers[name] ?? null).toBe(value);
    }
    if ("json" in parts) expect(JSON.parse(request.body)).toEqual(parts.json);
    if (parts.form) {
      expect(Object.fromEntries(new URLSearchParams(request.body))).toEqual(parts.form);
    }
    if (parts.body !== undefined) expect(request.body).toBe(parts.body);
  }
}

/** A request as one line. Parameters are sorted, because only the order of equal names matters. */
function lineOf({ method, path, query }: ReturnType<typeof parseLine>): string {
  const sorted = query.toSorted(([a], [b]) => compareStrings(a, b));
  const text = sorted.map(([name, value]) => `${name}=${value}`).join("&");
  return `${method} ${path}${text ? `?${text}` : ""}`;
}

const compareStrings = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const recordsByResource = (records: Run["records"] = {}): Record<string, Records> =>
  Array.isArray(records) ? { rows: records } : records;

/** The JSON of a record with every digit, and with sorted members. */
export const exactJson = (record: string | object): string => {
  const value = typeof record === "string" ? parseJson(record) : (record as JsonObject);
  return jsonText(value, { sorted: true });
};

/** The items that the command `items` has printed, without generated ids. */
export function itemsIn(ndjson: string): string[] {
  const lines = ndjson.split("\n").filter((line) => line !== "");
  return lines
    .map((line) => {
      const { _row_id: _, ...item } = parseJson(line) as JsonObject;
      return exactJson(item);
    })
    .sort();
}
