import type { Path } from "../config/jsonpath.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { RequestError } from "../errors.ts";
import type { Cursor, Gate, JsonValue, Page, PageRequest } from "../flow.ts";
import type { SecretStore } from "../secrets.ts";
import type { World } from "../world.ts";
import type { Answer } from "./answer.ts";
import { authenticator } from "./auth.ts";
import { httpRequest, startParams } from "./build.ts";
import { startValue } from "./cursor.ts";
import { paginator } from "./paginators.ts";
import { fetchJson, type Meter } from "./request.ts";
import { detect, isObject, select } from "./select.ts";
import { type HttpRequest, shown } from "./transport.ts";

/** Requests of one resource, with its credentials, retries and limits. */
export interface Session {
  fetch(request: HttpRequest): Promise<Answer>;
  /** Makes text of the API fit for a message. */
  quote(text: string): string;
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
  const { origin } = resource.request;
  const place = { source, resource: name };
  const caller = { place, world, retry, timeoutMs, gate };
  const auth = authenticator(resource.auth, { source, origin, secrets, caller });
  return {
    fetch: (request) => fetchJson(request, { ...caller, auth, meter }),
    quote: auth.quote,
  };
}

/** What a run without a cursor asks for first, before credentials are added. */
export function firstRequest({
  request,
  paginator: paging,
  incremental,
}: ResourcePlan): HttpRequest {
  const start = incremental ? startValue(incremental, null) : null;
  return httpRequest(request, paginator(paging).first(), startParams(incremental, start));
}

/**
 * The pages of a resource from a request on, or from the first. One is asked for at a time, and each
 * with the `start` that the run has begun with.
 */
export async function* pages(
  resource: ResourcePlan,
  from: PageRequest | undefined,
  session: Session,
  start: Cursor = null,
): AsyncGenerator<Page> {
  const paging = paginator(resource.paginator);
  const more = startParams(resource.incremental, start);
  let selector = resource.selector;
  let request: PageRequest | undefined = from ?? paging.first();
  while (request) {
    const http = httpRequest(resource.request, request, more);
    const { body, headers } = await session.fetch(http);
    let records: JsonValue[] = [];
    if (body !== undefined) {
      // What the first page shows holds for all: a later one may have no list to find.
      selector ??= detect(body);
      records = recordsOf(http, body, selector, session);
    }
    const next = paging.next({ request, received: records.length, body });
    yield { request, records, next, apiTime: timeOf(headers.date) };
    request = next;
  }
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
