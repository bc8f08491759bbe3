import type { Path } from "../config/jsonpath.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { RequestError } from "../errors.ts";
import type { JsonValue, Page, PageRequest } from "../flow.ts";
import type { SecretStore } from "../secrets.ts";
import type { World } from "../world.ts";
import type { Answer } from "./answer.ts";
import { authenticator } from "./auth.ts";
import { httpRequest } from "./build.ts";
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
  { world, secrets, meter }: { world: World; secrets: SecretStore; meter: Meter },
): Session {
  const { source, name, retry, timeoutMs } = resource;
  const { origin } = resource.request;
  const place = { source, resource: name };
  const caller = { place, world, retry, timeoutMs };
  const auth = authenticator(resource.auth, { source, origin, secrets, caller });
  return {
    fetch: (request) => fetchJson(request, { ...caller, auth, meter }),
    quote: auth.quote,
  };
}

/** The pages of a resource from a request on, or from the first. One is asked for at a time. */
export async function* pages(
  resource: ResourcePlan,
  from: PageRequest | undefined,
  session: Session,
): AsyncGenerator<Page> {
  const paging = paginator(resource.paginator);
  let selector = resource.selector;
  let request: PageRequest | undefined = from ?? paging.first();
  while (request) {
    const http = httpRequest(resource.request, request);
    const { body } = await session.fetch(http);
    let records: JsonValue[] = [];
    if (body !== undefined) {
      // What the first page shows holds for all: a later one may have no list to find.
      selector ??= detect(body);
      records = recordsOf(http, body, selector, session);
    }
    const next = paging.next({ request, received: records.length, body });
    yield { request, records, next };
    request = next;
  }
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
