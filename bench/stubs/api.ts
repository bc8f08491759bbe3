import { makeRecord, withoutKey } from "./records.ts";
import { answerAfter, startServer } from "./serve.ts";

/*
 * A paged API in a separate process, for a benchmark of the loop alone. The number of records and the
 * latency of a page are set by `/control?records=…&latency=…`.
 */

/** The limit of cached pages. Benchmarks read the same pages again; a soak's pages exceed the memory. */
const MAX_CACHED_PAGES = 1000;
const cachedPages = new Map<string, Buffer>();
let recordCount = 0;
let latencyMs = 0;

function createPage(path: string, offset: number, limit: number): Buffer {
  const name = `${path} ${offset} ${limit}`;
  const cachedPage = cachedPages.get(name);
  if (cachedPage) return cachedPage;
  const length = Math.max(0, Math.min(limit, recordCount - offset));
  const records = Array.from({ length }, (_, n) => makeRecord(offset + n + 1));
  const data = path === "/flawed" ? records.map(withoutKey) : records;
  const page = Buffer.from(JSON.stringify({ data, total: recordCount }));
  if (cachedPages.size < MAX_CACHED_PAGES) cachedPages.set(name, page);
  return page;
}

function applySettings(settings: URLSearchParams): void {
  latencyMs = Number(settings.get("latency"));
  if (Number(settings.get("records")) === recordCount) return;
  recordCount = Number(settings.get("records"));
  cachedPages.clear();
}

startServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://stub");
  if (pathname === "/control") {
    applySettings(searchParams);
    response.end();
    return;
  }
  const page = createPage(
    pathname,
    Number(searchParams.get("offset")),
    Number(searchParams.get("limit")),
  );
  answerAfter(latencyMs, () => {
    response.setHeader("content-type", "application/json");
    response.end(page);
  });
});
