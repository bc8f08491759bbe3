import { RequestError } from "../base/errors.ts";
import { unrouteUrl } from "../base/origins.ts";
import { refOf } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { JsonPath } from "../config/jsonpath.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { Gate } from "../flow.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { JsonValue } from "../values/json.ts";
import { createAuthenticator } from "./auth/auth.ts";
import { buildHttpRequest } from "./build-request.ts";
import type { FilledRequest } from "./fill-request.ts";
import type { Answer } from "./http/answer.ts";
import { fetchJson, type RequestMeter } from "./http/request.ts";
import type { HoldBytes, HttpRequest } from "./http/transport.ts";
import {
  type ChosenPaginator,
  choosePaginator,
  chooseSelector,
} from "./paging/choose-paginator.ts";
import { type WatchedPage, watchCount } from "./paging/count-watch.ts";
import { EarlyBytes } from "./paging/early-bytes.ts";
import { isNumbered } from "./paging/numbering.ts";
import { describeDetour } from "./paging/overlap-memory.ts";
import { type PageRequest, readStoredRequest } from "./paging/page-request.ts";
import { createPaginator } from "./paging/paginators.ts";
import type { Paginator, ReceivedPage } from "./paging/paging.ts";
import { saysNoSuchPage } from "./paging/range-end.ts";
import { ReadAhead } from "./paging/read-ahead.ts";
import { recordsOf } from "./records.ts";
import { storableRequest } from "./storable.ts";

/** An answer of the API, with the records unchanged. */
export interface Page {
  request: PageRequest;
  records: JsonValue[];
  /** The request for the next page; undefined after the last. */
  next: PageRequest | undefined;
  /** Rows have moved: the next page was read before, at least in part. */
  goesBack?: boolean;
  /** The next page is found by its number, and shows no row of this one: rows that move go unseen. */
  isNumbered?: boolean;
  /** The API's own clock, epoch milliseconds, where its answer has a Date. */
  apiTime?: number | undefined;
}

/** Makes the requests of a resource, with credentials, retries and limits. */
export interface Session {
  fetch(request: HttpRequest, hold?: HoldBytes): Promise<Answer>;
  /** The memory of pages that are asked for early. */
  earlyBytes: EarlyBytes;
  /** Makes text of the API fit for a message. */
  quote(text: string): string;
  log(message: string): void;
  /** A URL with the origin of the config, where local mode sends requests to another origin. */
  configuredUrl(url: string): string;
  /** The most requests under way at once. */
  parallelPages: number;
  retriesSoFar(): number;
}

export function openSession(
  resource: ResourcePlan,
  {
    world,
    secrets,
    meter,
    gate,
    parallelPages = 1,
    memoryMb,
  }: {
    world: World;
    secrets: SecretStore;
    meter: RequestMeter;
    gate?: Gate | undefined;
    parallelPages?: number;
    /** The worker's memory. */
    memoryMb?: number | undefined;
  },
): Session {
  const { retry, timeoutMs, actions } = resource;
  const resourceRef = refOf(resource);
  const context = { resourceRef, world, retry, timeoutMs, gate };
  const auth = createAuthenticator(resource, { secrets, context });
  return {
    fetch: (request, hold) => fetchJson(request, { ...context, auth, meter, actions, hold }),
    earlyBytes: earlyBytesOf(world, memoryMb),
    quote: auth.quote,
    log: (message) => world.log.info(message, { ...resourceRef }),
    configuredUrl: (url) => unrouteUrl(url, world.origins),
    parallelPages,
    retriesSoFar: () => meter.retries,
  };
}

const DEFAULT_MEMORY_MB = 512;

/** Resources that are read in one process share its memory. */
const earlyBytesByContainer = new WeakMap<World["http"], EarlyBytes>();

function earlyBytesOf({ http }: World, memoryMb = DEFAULT_MEMORY_MB): EarlyBytes {
  const earlyBytes = earlyBytesByContainer.get(http) ?? new EarlyBytes(memoryMb);
  earlyBytesByContainer.set(http, earlyBytes);
  return earlyBytes;
}

/**
 * The pages of a request, from the first or from a checkpoint's request on. A page is asked for when
 * the reader wants it; where pages are counted, a few may be asked for earlier. A selector and a
 * paginator detected in the first answer are kept in each next request, for later slices.
 */
export async function* fetchPages(
  resource: PagedResource,
  filled: FilledRequest,
  from: PageRequest | undefined,
  session: Session,
): AsyncGenerator<Page> {
  const fetcher = new PageFetcher(resource, filled, session);
  let request: PageRequest | undefined = from
    ? readStoredRequest(from)
    : createPaginator(resource.paginator).first();
  try {
    while (request) {
      const page: Page = await fetcher.fetch(request);
      yield page;
      request = page.next;
    }
  } finally {
    fetcher.close();
  }
}

type PagedResource = Pick<ResourcePlan, "paginator" | "selector" | "key" | "auth">;

/** An answer, with what it means to the paginator. */
interface Reading {
  received: ReceivedPage;
  chosen: ChosenPaginator;
  paginator: Paginator;
  /** The path of the records; undefined before an answer has shown any. */
  list: JsonPath | undefined;
  isIgnored: boolean;
}

/** Makes the requests of one series, and reads each answer by the paginator. */
class PageFetcher {
  readonly #resource: PagedResource;
  readonly #filled: FilledRequest;
  readonly #session: Session;
  readonly #readAhead: ReadAhead;

  constructor(resource: PagedResource, filled: FilledRequest, session: Session) {
    this.#resource = resource;
    this.#filled = filled;
    this.#session = session;
    this.#readAhead = new ReadAhead(session, (page) => buildHttpRequest(filled, page));
  }

  async fetch(request: PageRequest): Promise<Page> {
    const http = buildHttpRequest(this.#filled, request);
    const { answer, isEarly } = this.#readAhead.get(http);
    let reading = this.#read(request, http, await orAbsence(answer));
    if (isEarly && !counts(reading)) {
      reading = this.#read(request, http, await orAbsence(this.#readAhead.getAgain(http)));
    }
    const { absence } = reading.received;
    if (absence && !mayBeAbsent(request)) throw absence;
    return this.#pageOf(reading);
  }

  close(): void {
    this.#readAhead.close();
  }

  #read(request: PageRequest, http: HttpRequest, answer: Answer | RequestError): Reading {
    const isAbsent = answer instanceof RequestError;
    const { body, headers, isIgnored = false } = isAbsent ? noPage : answer;
    const { selector, key } = this.#resource;
    const list = chooseSelector(this.#resource, request, body);
    const isGuess = !selector && request.memory?.selector === undefined;
    const search = list && { selector: list, isGuess, quote: this.#session.quote };
    const records = body === undefined || !search ? [] : recordsOf(http, body, search);
    const { params } = this.#filled;
    const chosen = choosePaginator(this.#resource, request, records, { headers, body, params });
    const paginator = createPaginator(chosen.plan, key.fields);
    const absence = isAbsent ? { absence: answer } : {};
    const received = { request, url: http.url, records, headers, body, ...absence };
    return { received, chosen, paginator, list, isIgnored };
  }

  #pageOf(reading: Reading): Page {
    const { received, chosen, paginator, isIgnored } = reading;
    const { request, records, headers } = received;
    const apiTime = parseDate(headers.date);
    if (isIgnored) return { request, records: [], next: undefined, apiTime };
    const following = this.#storable(paginator.next(received));
    const watched = this.#watch(reading, following);
    const next = watched.next && this.#withFacts(watched.next, reading);
    if (next) this.#readAhead.moveOn(chosen.plan, request, next);
    const detour = describeDetour(request.memory?.overlap, next?.memory?.overlap);
    for (const line of [chosen.note, detour, watched.note]) if (line) this.#session.log(line);
    return {
      request,
      records: chosen.isRepeated ? [] : (paginator.fresh?.(received) ?? records),
      next,
      ...(detour || watched.goesBack ? { goesBack: true } : {}),
      ...(isNumbered(chosen.plan, received, following) ? { isNumbered: true } : {}),
      apiTime,
    };
  }

  #storable(following: PageRequest | undefined): PageRequest | undefined {
    const { configuredUrl } = this.#session;
    return following && storableRequest(following, this.#resource, this.#filled, configuredUrl);
  }

  #watch({ received, chosen, list }: Reading, following: PageRequest | undefined): WatchedPage {
    const keyFields = this.#resource.key.fields;
    return watchCount({ received, following, plan: chosen.plan, list, keyFields });
  }

  /** A request with the facts that the first page showed. */
  #withFacts(request: PageRequest, { chosen, list }: Reading): PageRequest {
    const selector = this.#resource.selector ? undefined : list?.text;
    const found = { ...chosen.memory, ...(selector === undefined ? {} : { selector }) };
    const memory = { ...request.memory, ...found };
    return Object.keys(memory).length > 0 ? { ...request, memory } : request;
  }
}

/** Read in place of an answer where the API has no page. */
const noPage: Pick<Answer, "body" | "headers" | "isIgnored"> = { body: undefined, headers: {} };

/** The answer, or the error by which the API may say that it has no such page. */
async function orAbsence(answer: Promise<Answer>): Promise<Answer | RequestError> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RequestError && saysNoSuchPage(error)) return error;
    throw error;
  }
}

/** Whether a page counts that was asked for before the page before it had been read. */
const counts = ({ received, paginator, isIgnored }: Reading): boolean =>
  !received.absence && !isIgnored && paginator.isInPlace?.(received) !== false;

/** Elsewhere, an API that has no page is an error. */
const mayBeAbsent = ({ memory }: PageRequest): boolean =>
  memory?.behindTotal !== undefined || memory?.count !== undefined;

function parseDate(date: string | undefined): number | undefined {
  const ms = Date.parse(date ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
