import type { Served } from "../api/api.ts";
import { ORIGIN } from "../draw/config.ts";
import type { Process } from "../process.ts";
import type { Stage } from "../stage.ts";
import type { Claims } from "./claims.ts";
import { type KnownProcesses, keepsItsPages, leaseName, leaseOf } from "./known.ts";
import type { Subject } from "./subject.ts";

/* What the oracle checks of requests: to the API, and of writes to tables of rows. */

/** For one page: 1 + max_retries, and one more after a 401; twice, because pages may be read again. */
const REQUESTS_PER_PAGE = 10;

/** No invocation of these small lists needs more. */
const REQUESTS_PER_INVOCATION = 3_000;

const WRITES: ReadonlySet<string> = new Set([
  "BatchWriteItem",
  "PutItem",
  "UpdateItem",
  "DeleteItem",
]);

export class Traffic {
  readonly #stage: Stage;
  readonly #known: KnownProcesses;
  readonly #claims: Claims;
  readonly #firstSent = new WeakMap<object, number>();

  constructor(stage: Stage, known: KnownProcesses, claims: Claims) {
    this.#stage = stage;
    this.#known = known;
    this.#claims = claims;
  }

  /** When a request to DynamoDB was sent for the first time. */
  firstSent(input: object): number {
    return this.#firstSent.get(input) ?? this.#stage.time.now();
  }

  /** A call to DynamoDB. `subject`: whose table of rows it is for. */
  sends(
    process: Process,
    operation: string,
    { input, subject }: { input: object; subject: Subject | undefined },
  ): void {
    if (!this.#firstSent.has(input)) this.#firstSent.set(input, this.#stage.time.now());
    if (!WRITES.has(operation) || !subject || process.state !== "running") return;
    const lease = leaseOf(this.#known.of(process), leaseName(subject.name, "own"));
    const over = this.#stage.time.now() - lease.until;
    if (over < 0) return;
    this.#stage.violated("I3", `${process.name} writes ${over} ms after its lease`);
  }

  /** A request to the API. */
  requests(process: Process, origin: string, path: string): void {
    const known = this.#known.of(process);
    const url = path.replace(/api_key=[^&]*&?/, "");
    const times = (known.asked.get(url) ?? 0) + 1;
    known.asked.set(url, times);
    known.requests += 1;
    if (times > REQUESTS_PER_PAGE || known.requests > REQUESTS_PER_INVOCATION) {
      const what = `${known.requests} requests, of these ${times} for ${url}`;
      this.#stage.violated("I6", `${process.name}: ${what}`);
    }
    if (origin !== ORIGIN) this.#stage.violated("I6", `a request to ${origin}`);
  }

  /** A whole answer of the API has come to a worker. */
  received(process: Process, page: Served, status: number): void {
    const { depth, parent, rows } = page;
    const known = this.#known.of(process);
    const at = this.#stage.time.now();
    const subject = this.#claims.subjectAt(depth);
    if (!subject) return;
    const isOwn = known.resource === subject.name;
    if (status !== 200) {
      const times = parent && subject.notFound.get(parent);
      if (parent && isOwn) subject.notFound.set(parent, [...(times ?? []), at]);
      return;
    }
    if (!page.isFirst) subject.laterPages.push(at);
    // A sample of a child reads its parents on the spot.
    const slot = isOwn ? known.slot : "sample";
    for (const { row, version } of rows) {
      // What the API shows beside the window that it was asked for is left out of it.
      const isAskedFor = version.stamp >= page.since && version.stamp <= page.until;
      const isKept = () => isAskedFor && keepsItsPages(process, known);
      subject.show(row, { at, n: version.n, slot, isKept });
    }
  }
}
