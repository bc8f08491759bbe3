import { flawed, record } from "./records.ts";
import { after, serve } from "./serve.ts";

/*
 * A paged API that does nothing but answer, in a process of its own, so that a benchmark measures
 * the loop. `/control?records=…&latency=…` sets how many records there are, and how long a page takes.
 */

/** Answers are made once: a benchmark reads the same pages again, a soak more than fit into memory. */
const KEPT_PAGES = 1000;
const pages = new Map<string, Buffer>();
let records = 0;
let latency = 0;

function pageAt(path: string, offset: number, limit: number): Buffer {
  const name = `${path} ${offset} ${limit}`;
  const kept = pages.get(name);
  if (kept) return kept;
  const length = Math.max(0, Math.min(limit, records - offset));
  const whole = Array.from({ length }, (_, n) => record(offset + n + 1));
  const data = path === "/flawed" ? whole.map(flawed) : whole;
  const page = Buffer.from(JSON.stringify({ data, total: records }));
  if (pages.size < KEPT_PAGES) pages.set(name, page);
  return page;
}

function control(wanted: URLSearchParams): void {
  latency = Number(wanted.get("latency"));
  if (Number(wanted.get("records")) === records) return;
  records = Number(wanted.get("records"));
  pages.clear();
}

serve((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://stub");
  if (pathname === "/control") {
    control(searchParams);
    response.end();
    return;
  }
  const page = pageAt(
    pathname,
    Number(searchParams.get("offset")),
    Number(searchParams.get("limit")),
  );
  after(latency, () => {
    response.setHeader("content-type", "application/json");
    response.end(page);
  });
});
