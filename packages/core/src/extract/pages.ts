import type { Path } from "../config/jsonpath.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { RequestError } from "../errors.ts";
import type { Gate, JsonValue, Page, PageRequest, PagingMemory } from "../flow.ts";
import { unroute } from "../origins.ts";
import type { SecretStore } from "../secrets.ts";
import type { World } from "../world.ts";
import type { Answer } from "./answer.ts";
import { authenticator } from "./auth.ts";
import { httpRequest } from "./build.ts";
import { type FilledRequest, fill, incrementalValues } from "./fill.ts";
import { findPaginator, findSelector } from "./findings.ts";
import { paginator } from "./paginators.ts";
import { fetchJson, type Meter } from "./request.ts";
import { emptySecrets } from "./sealed.ts";
import { isObject, select } from "./select.ts";
import { type HttpRequest, shown } from "./transport.ts";

/** Requests of one resource, with its credentials, retries and limits. */
export interface Session {
  fetch(request: HttpRequest): Promise<Answer>;
  /** Makes text of the API fit for a message. */
  quote(text: string): string;
  /** A line in the log. */
  say(message: string): void;
  /** A URL as the config would have it, where local mode has sent the request elsewhere. */
  home(url: string): string;
}

export function openSession(
  resource: ResourcePlan,
  {
    world,
    secrets,
    meter,
    gate,
  }: { world: World; secrets: SecretStore; meter: Meter; gate?: Gate | undefined },
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
 * The pages of a request from one on, or from the first. One is asked for at a time. What the first
 * answer shows holds for all of them, also in later slices: so it is part of each next request.
 */
export async function* pages(
  resource: Pick<ResourcePlan, "paginator" | "selector" | "key" | "auth">,
  filled: FilledRequest,
  from: PageRequest | undefined,
  session: Session,
): AsyncGenerator<Page> {
  const { fields } = resource.key;
  let request: PageRequest | undefined = from ?? paginator(resource.paginator).first();
  while (request) {
    const http = httpRequest(filled, request);
    const { body, headers, isIgnored } = await session.fetch(http);
    if (isIgnored) {
      yield { request, records: [], next: undefined, apiTime: timeOf(headers.date) };
      return;
    }
    const selector = findSelector(resource, request, body);
    const records = body === undefined || !selector ? [] : recordsOf(http, body, selector, session);
    const answer = { headers, body, params: filled.params };
    const found = findPaginator(resource, request, records, answer);
    if (found.note) session.say(found.note);

    const paging = paginator(found.plan, fields);
    const seen = { request, url: http.url, records, headers, body };
    const next = remembering(cleaned(paging.next(seen), resource, filled, session), {
      ...found.memory,
      ...(resource.selector || !selector ? {} : { selector: selector.text }),
    });
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
  if (next?.url === undefined) return next;
  const url = new URL(session.home(next.url));
  if (auth?.type === "api_key" && auth.location === "query" && url.searchParams.has(auth.name)) {
    url.searchParams.delete(auth.name);
  }
  emptySecrets(url, params);
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

function recordsOf(
  request: HttpRequest,
  body: JsonValue,
  selector: Path,
  session: Session,
): JsonValue[] {
  const selection = select(body, selector);
  if ("records" in selection) return selection.records;
  const { reached, found } = selection;
  const place = reached === "$" ? "the body" : `"${reached}"`;
  const there =
    found === null ? `${place} is null; the body ${describe(body)}` : `${place} ${describe(found)}`;
  throw new RequestError({
    code: "extract.selector",
    message: `the answer to ${shown(request)} has nothing at data_selector "${selector.text}"; ${session.quote(there)}`,
    hint: "set data_selector to the member that holds the list",
    retryable: false,
  });
}

const SHOWN_NAMES = 10;

function describe(value: JsonValue): string {
  if (Array.isArray(value)) return `is a list of ${value.length}`;
  if (!isObject(value)) return `is a ${typeof value}`;
  const names = Object.keys(value);
  if (names.length === 0) return "is an empty object";
  const more = names.length > SHOWN_NAMES ? ", …" : "";
  return `has: ${names.slice(0, SHOWN_NAMES).join(", ")}${more}`;
}
