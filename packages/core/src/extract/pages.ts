import { unrouteUrl } from "../base/origins.ts";
import { refOf } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { Gate } from "../flow.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { JsonValue } from "../values/json.ts";
import { createAuthenticator } from "./auth/auth.ts";
import { buildHttpRequest } from "./build-request.ts";
import { type FilledRequest, fillRequest, incrementalValues } from "./fill-request.ts";
import type { Answer } from "./http/answer.ts";
import { fetchJson, type RequestMeter } from "./http/request.ts";
import type { HttpRequest } from "./http/transport.ts";
import { choosePaginator, chooseSelector } from "./paging/choose-paginator.ts";
import { describeDetour } from "./paging/overlap-memory.ts";
import { type PageRequest, type PagingMemory, readStoredRequest } from "./paging/page-request.ts";
import { createPaginator } from "./paging/paginators.ts";
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
  fetch(request: HttpRequest): Promise<Answer>;
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
  }: {
    world: World;
    secrets: SecretStore;
    meter: RequestMeter;
    gate?: Gate | undefined;
    parallelPages?: number;
  },
): Session {
  const { retry, timeoutMs, actions } = resource;
  const resourceRef = refOf(resource);
  const context = { resourceRef, world, retry, timeoutMs, gate };
  const auth = createAuthenticator(resource, { secrets, context });
  return {
    fetch: (request) => fetchJson(request, { ...context, auth, meter, actions }),
    quote: auth.quote,
    log: (message) => world.log.info(message, { ...resourceRef }),
    configuredUrl: (url) => unrouteUrl(url, world.origins),
    parallelPages,
    retriesSoFar: () => meter.retries,
  };
}

/** The first request of a run without a cursor. It has placeholders instead of credentials. */
export function firstRequest({ request, paginator, incremental }: ResourcePlan): HttpRequest {
  const start = incremental?.initialValue ?? null;
  const values = incrementalValues(incremental, { start, last: null });
  const filled = fillRequest(request, (reference) => {
    if (reference.of === "secret") return "***";
    if (reference.of === "incremental") return values(reference);
    return `{resources.${reference.resource}.${reference.field.text}}`;
  });
  return buildHttpRequest(filled, createPaginator(paginator).first());
}

/**
 * The pages of a request, from the first or from a checkpoint's request on. A page is asked for when
 * the reader wants it; where pages are counted, a few are asked for earlier. A selector and a
 * paginator detected in the first answer are kept in each next request, for later slices.
 */
export async function* fetchPages(
  resource: Pick<ResourcePlan, "paginator" | "selector" | "key" | "auth">,
  filled: FilledRequest,
  from: PageRequest | undefined,
  session: Session,
): AsyncGenerator<Page> {
  const readAhead = new ReadAhead(session, (page) => buildHttpRequest(filled, page));
  let request: PageRequest | undefined = from
    ? readStoredRequest(from)
    : createPaginator(resource.paginator).first();
  while (request) {
    const http = buildHttpRequest(filled, request);
    const { body, headers, isIgnored } = await readAhead.get(http);
    const apiTime = parseDate(headers.date);
    if (isIgnored) {
      yield { request, records: [], next: undefined, apiTime };
      return;
    }
    const selector = chooseSelector(resource, request, body);
    const isGuess = !resource.selector && request.memory?.selector === undefined;
    const search = selector && { selector, isGuess, quote: session.quote };
    const records = body === undefined || !search ? [] : recordsOf(http, body, search);
    const answer = { headers, body, params: filled.params };
    const chosen = choosePaginator(resource, request, records, answer);
    if (chosen.note) session.log(chosen.note);

    const paginator = createPaginator(chosen.plan, resource.key.fields);
    const received = { request, url: http.url, records, headers, body };
    const following = paginator.next(received);
    const next = following && {
      ...storableRequest(following, resource, filled, session.configuredUrl),
      ...memoryAfter(following, chosen.memory, resource.selector ? undefined : selector?.text),
    };
    if (next) readAhead.moveOn(chosen.plan, request, next);
    const detour = describeDetour(request.memory?.overlap, next?.memory?.overlap);
    if (detour) session.log(detour);
    yield {
      request,
      records: chosen.isRepeated ? [] : (paginator.fresh?.(received) ?? records),
      next,
      ...(detour ? { goesBack: true } : {}),
      apiTime,
    };
    request = next;
  }
}

/** The paginator's own memory with the facts that the first page showed. */
function memoryAfter(
  { memory }: PageRequest,
  detected: PagingMemory | undefined,
  selector: string | undefined,
): { memory?: PagingMemory } {
  const merged = { ...memory, ...detected, ...(selector === undefined ? {} : { selector }) };
  return Object.keys(merged).length > 0 ? { memory: merged } : {};
}

function parseDate(date: string | undefined): number | undefined {
  const ms = Date.parse(date ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
