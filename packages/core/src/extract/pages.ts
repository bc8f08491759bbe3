import { unroute } from "../base/origins.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { Gate, Page, PageRequest, PagingMemory } from "../flow.ts";
import { isSecret } from "../secrets/redact.ts";
import type { SecretStore } from "../secrets/store.ts";
import { authenticator } from "./auth/auth.ts";
import { emptySecrets } from "./auth/sealed.ts";
import { httpRequest } from "./build.ts";
import { assertStorable, assertStorablePath } from "./echo.ts";
import { type FilledRequest, fill, incrementalValues } from "./fill.ts";
import type { Answer } from "./http/answer.ts";
import { fetchJson, type Meter } from "./http/request.ts";
import type { HttpRequest } from "./http/transport.ts";
import { firstWindow, guesses, openAhead, widened } from "./paging/ahead.ts";
import { findPaginator, findSelector } from "./paging/findings.ts";
import { paginator } from "./paging/paginators.ts";
import { recordsOf } from "./records.ts";

/** Requests of one resource, with its credentials, retries and limits. */
export interface Session {
  fetch(request: HttpRequest): Promise<Answer>;
  /** Makes text of the API fit for a message. */
  quote(text: string): string;
  /** A line in the log. */
  say(message: string): void;
  /** A URL as the config would have it, where local mode has sent the request elsewhere. */
  home(url: string): string;
  /** How many pages may be asked for at once. */
  parallel: number;
  /** How often requests had to be tried again by now. */
  retries(): number;
}

export function openSession(
  resource: ResourcePlan,
  {
    world,
    secrets,
    meter,
    gate,
    parallel = 1,
  }: {
    world: World;
    secrets: SecretStore;
    meter: Meter;
    gate?: Gate | undefined;
    parallel?: number;
  },
): Session {
  const { source, name, retry, timeoutMs } = resource;
  const place = { source, resource: name };
  const caller = { place, world, retry, timeoutMs, gate };
  const auth = authenticator(resource, { secrets, caller });
  return {
    fetch: (request) => fetchJson(request, { ...caller, auth, meter, actions: resource.actions }),
    quote: auth.quote,
    say: (message) => world.log.info(message, place),
    home: (url) => unroute(url, world.origins),
    parallel,
    retries: () => meter.retries,
  };
}

/** What a run without a cursor asks for first, before credentials are added. */
export function firstRequest({
  request,
  paginator: paging,
  incremental,
}: ResourcePlan): HttpRequest {
  const start = incremental?.initialValue ?? null;
  const values = incrementalValues(incremental, { start, last: null });
  const filled = fill(request, (reference) =>
    reference.of === "parent"
      ? `{resources.${reference.resource}.${reference.field.text}}`
      : reference.of === "secret"
        ? "***"
        : values(reference),
  );
  return httpRequest(filled, paginator(paging).first());
}

/**
 * The pages of a request from one on, or from the first. A page is asked for when it is wanted, and
 * where pages are counted so are some after it. What the first answer shows holds for all of them,
 * also in later slices: so it is part of each next request.
 */
export async function* pages(
  resource: Pick<ResourcePlan, "paginator" | "selector" | "key" | "auth">,
  filled: FilledRequest,
  from: PageRequest | undefined,
  session: Session,
): AsyncGenerator<Page> {
  const { fields } = resource.key;
  const ahead = openAhead(session.fetch);
  let window = firstWindow;
  let after: PageRequest[] = [];
  let retries = session.retries();
  let request: PageRequest | undefined = from ?? paginator(resource.paginator).first();
  while (request) {
    const http = httpRequest(filled, request);
    const later = after.map((page) => httpRequest(filled, page));
    ahead.expect([http, ...later], window.size);
    const { body, headers, isIgnored } = await ahead.get(http);
    if (isIgnored) {
      yield { request, records: [], next: undefined, apiTime: timeOf(headers.date) };
      return;
    }
    const selector = findSelector(resource, request, body);
    const isGuess = !resource.selector && request.memory?.selector === undefined;
    const search = selector && { selector, isGuess, quote: session.quote };
    const records = body === undefined || !search ? [] : recordsOf(http, body, search);
    const answer = { headers, body, params: filled.params };
    const found = findPaginator(resource, request, records, answer);
    if (found.note) session.say(found.note);

    const paging = paginator(found.plan, fields);
    const seen = { request, url: http.url, records, headers, body };
    const next = remembering(cleaned(paging.next(seen), resource, filled, session), {
      ...found.memory,
      ...(resource.selector || !selector ? {} : { selector: selector.text }),
    });
    if (next) {
      // Also of pages that were asked for early, while the reader was busy elsewhere.
      const trouble = session.retries() > retries;
      retries = session.retries();
      const how = { most: session.parallel, trouble };
      window = widened(window, { request, next, plan: found.plan }, how);
      after = guesses(found.plan, next, window, session.parallel);
    }
    const moves = movesOf(request, next);
    if (moves) session.say(moves);
    yield {
      request,
      records: found.isAgain ? [] : (paging.fresh?.(seen) ?? records),
      next,
      ...(moves ? { goesBack: true } : {}),
      apiTime: timeOf(headers.date),
    };
    request = next;
  }
}

function remembering(next: PageRequest | undefined, memory: PagingMemory): PageRequest | undefined {
  if (!next || Object.keys(memory).length === 0) return next;
  return { ...next, memory: { ...next.memory, ...memory } };
}

/** Of a link: as the plan names its host, and without the secrets that an API repeats in it. */
function cleaned(
  next: PageRequest | undefined,
  { auth }: Pick<ResourcePlan, "auth">,
  { params }: FilledRequest,
  session: Session,
): PageRequest | undefined {
  assertStorable(Object.values({ ...next?.params, ...next?.body }), "what leads to the next page");
  if (next?.url === undefined) return next;
  const url = new URL(session.home(next.url));
  // A user name may well stand in a path.
  if (auth?.type !== "http_basic") assertStorablePath(url.pathname);
  const own = auth?.type === "api_key" && auth.location === "query" ? auth.name : undefined;
  for (const [name, value] of [...url.searchParams]) {
    // Also under a name of the API's own, such as `?token=` where we send a header.
    const isEcho = name === own || (isSecret(value) && !Object.hasOwn(params, name));
    if (isEcho) url.searchParams.delete(name);
  }
  emptySecrets(url, params);
  Object.assign(url, { username: "", password: "", hash: "" });
  return { ...next, url: url.href };
}

/** What to say where paging does not simply go on. */
function movesOf(request: PageRequest, next: PageRequest | undefined): string | undefined {
  const [before, after] = [request.memory?.overlap, next?.memory?.overlap];
  if (after?.back === 1) {
    return `rows have gone from before row ${after.position} meanwhile: reading goes back`;
  }
  if (after?.back !== undefined) return "going back further";
  if ((after?.restarts ?? 0) > (before?.restarts ?? 0)) return "reading starts again";
  if (after?.off && !before?.off)
    return "pages do not begin where they are asked to: read as they come";
  return undefined;
}

function timeOf(date: string | undefined): number | undefined {
  const ms = Date.parse(date ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
