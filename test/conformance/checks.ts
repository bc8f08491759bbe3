import { expect } from "vitest";
import type { JsonObject } from "../../packages/core/src/values/json.ts";
import { jsonText } from "../../packages/core/src/values/json-text.ts";
import { parseJson } from "../../packages/core/src/values/parse-json.ts";
import type { ApiRequest } from "../support/api.ts";
import { parseLine } from "./api.ts";
import type { Records, RequestParts, Run } from "./rows.ts";

/** How a command has ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function assertSecret({ stdout, stderr }: Ended, values: string[]) {
  for (const value of values.filter(({ length }) => length > 5)) {
    expect(stdout + stderr).not.toContain(value);
  }
}

export function checkOutcome({ code, stdout, stderr }: Ended, next: Run): void {
  const { problems, fails, report, reports = {}, says = [] } = next;
  const document = JSON.parse(stdout || `{"status":${JSON.stringify(stderr)}}`);
  if (problems) {
    expect(document.status).toBe("invalid");
    const paths: string[] = document.problems.map(({ path }: { path: string }) => path);
    expect(paths.sort()).toEqual(problems.map(([path]) => path).sort());
    for (const [path, ...words] of problems) {
      const texts = document.problems
        .filter((one: { path: string }) => one.path === path)
        .map(({ message, hint }: Record<string, string>) => `${message}; ${hint}`);
      for (const word of words) expect(texts.join("\n")).toMatch(word);
    }
    expect(code).toBe(2);
    return;
  }
  const resources: Record<string, never>[] = document.resources ?? [];
  const errors = resources.flatMap(({ error }) => error ?? []) as Record<string, string>[];
  if (fails) {
    const [wanted, ...words] = fails;
    expect(errors[0] ?? document).toMatchObject({ code: wanted });
    const text = `${errors[0]?.message}; ${errors[0]?.hint}`;
    for (const word of words) expect(text).toMatch(word);
  } else if (Object.keys(reports).length === 0) {
    expect(errors).toEqual([]);
    expect(document.status).toBe("succeeded");
  }
  expect(code).toBe(document.status === "succeeded" ? 0 : 1);
  if (report) expect(resources[0]).toMatchObject(report);
  for (const [name, wanted] of Object.entries(reports)) {
    expect(resources.find(({ resource }) => resource === name)).toMatchObject(wanted);
  }
  for (const word of says) expect(stderr).toMatch(word);
}

export function checkRequests(
  seen: ApiRequest[],
  { requests, headers }: Run,
  ordered: boolean,
): void {
  const inOrder = <T extends { line: string }>(all: T[]): T[] =>
    ordered ? all : all.toSorted((a, b) => byText(a.line, b.line));
  const found = inOrder(
    seen.map((one) => ({ line: lineOf({ ...one, query: [...one.query] }), ...one })),
  );
  for (const [name, value] of Object.entries(headers ?? {})) {
    const sent = found.filter(({ path }) => path !== "/token").map((one) => one.headers[name]);
    expect([...new Set(sent)]).toEqual([value ?? undefined]);
  }
  if (!requests) return;
  const wanted = inOrder(
    requests.map((one) => {
      const [line, has = {}] = [one].flat(1) as [string, RequestParts?];
      return { line: lineOf(parseLine(line)), has };
    }),
  );
  expect(found.map(({ line }) => line)).toEqual(wanted.map(({ line }) => line));
  for (const [index, { has }] of wanted.entries()) {
    const one = found[index] as ApiRequest;
    for (const [name, value] of Object.entries(has.headers ?? {})) {
      expect(one.headers[name] ?? null).toBe(value);
    }
    if ("json" in has) expect(JSON.parse(one.body)).toEqual(has.json);
    if (has.form) expect(Object.fromEntries(new URLSearchParams(one.body))).toEqual(has.form);
    if (has.body !== undefined) expect(one.body).toBe(has.body);
  }
}

/** Parameters by name: their order is no promise, but among equal names. */
function lineOf({ method, path, query }: ReturnType<typeof parseLine>): string {
  const sorted = query.toSorted(([a], [b]) => byText(a, b));
  const text = sorted.map(([name, value]) => `${name}=${value}`).join("&");
  return `${method} ${path}${text ? `?${text}` : ""}`;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const byResource = (records: Run["records"] = {}): Record<string, Records> =>
  Array.isArray(records) ? { rows: records } : records;

export const exact = (record: string | object): string => {
  const value = typeof record === "string" ? parseJson(record) : (record as JsonObject);
  return jsonText(value, { sorted: true });
};

export function itemsIn(ndjson: string): string[] {
  const lines = ndjson.split("\n").filter((line) => line !== "");
  return lines
    .map((line) => {
      const { _row_id: _, ...item } = parseJson(line) as JsonObject;
      return exact(item);
    })
    .sort();
}
