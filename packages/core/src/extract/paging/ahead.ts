import type { PaginatorPlan } from "../../config/plan-types.ts";
import type { PageRequest } from "../../flow.ts";
import type { Answer } from "../http/answer.ts";
import type { HttpRequest } from "../http/transport.ts";
import { placed, valueAt } from "./paging.ts";

/*
 * Pages that are asked for before their turn. The paginator stays the only one who says which page
 * comes next, and reads them in order: an answer that it does not ask for is dropped. So pages that
 * shift while they are read are found out as ever, and nothing is guessed but what to ask early.
 */

/** So many pages that followed each other evenly say that there will be more. A total says it, too. */
const EVEN_PAGES = Object.freeze({ withTotal: 2, withoutTotal: 8 });

/** Answers by their requests. */
export interface Ahead {
  /** The answer to a request, also when it was asked for before. */
  get(request: HttpRequest): Promise<Answer>;
  /** What will be wanted, in this order: has the first `size` under way, and forgets all others. */
  expect(requests: readonly HttpRequest[], size: number): void;
}

export function openAhead(fetch: (request: HttpRequest) => Promise<Answer>): Ahead {
  let asked = new Map<string, Promise<Answer>>();
  const ask = (request: HttpRequest): Promise<Answer> => {
    const answer = /* planted: answer-of-its-request */ asked.get(keyOf(request)) ?? fetch(request);
    // It may fail unread: behind the last page some APIs answer with an error.
    answer.catch(() => {});
    return answer;
  };
  return {
    get: ask,
    expect(requests, size) {
      const wanted = requests.filter((one, n) => n < size || asked.has(keyOf(one)));
      asked = new Map(wanted.map((request) => [keyOf(request), ask(request)]));
    },
  };
}

// Of one resource's requests nothing else differs from page to page.
const keyOf = ({ url, body }: HttpRequest) => `${url} ${body ?? ""}`;

/** How evenly pages follow each other, and how many may be under way at once. */
export interface Window {
  stride: number;
  even: number;
  size: number;
}

export const firstWindow: Window = { stride: 0, even: 0, size: 1 };

/**
 * Pure: the window behind a page. It grows by one with each page that came without trouble, and is
 * halved when a request had to be tried again.
 */
export function widened(
  { stride, even, size }: Window,
  moved: { request: PageRequest; next: PageRequest; plan: PaginatorPlan },
  { most, trouble }: { most: number; trouble: boolean },
): Window {
  const now = strideOf(moved.plan, moved.request, moved.next);
  const isEven = now > 0 && (stride === 0 || now === stride);
  const hasTotal = moved.next.memory?.total !== undefined;
  const due = hasTotal ? EVEN_PAGES.withTotal : EVEN_PAGES.withoutTotal;
  const isOpen = isEven && even + 1 >= due;
  return {
    stride: now,
    even: isEven ? even + 1 : 0,
    size: trouble ? Math.max(1, Math.floor(size / 2)) : isOpen ? Math.min(most, size + 1) : 1,
  };
}

/** Pure: the requests that will follow, if pages go on as they did. */
export function guesses(
  plan: PaginatorPlan,
  next: PageRequest,
  { stride, even }: Window,
  most: number,
): PageRequest[] {
  const slot = slotOf(plan);
  const start = slot && valueAt(next, slot);
  if (typeof start !== "number") return [];
  const found: PageRequest[] = [];
  for (let n = 1; n < most && even > 0; n++) {
    const value = start + n * stride;
    if (value >= endOf(plan, next, start)) break;
    const { params, body } = placed([[slot as NonNullable<typeof slot>, value]]);
    found.push({
      ...next,
      ...(params ? { params: { ...next.params, ...params } } : {}),
      ...(body ? { body: { ...next.body, ...body } } : {}),
    });
  }
  return found;
}

function slotOf(plan: PaginatorPlan) {
  if (plan.type === "offset") return plan.offsetAt;
  return plan.type === "page_number" ? plan.pageAt : undefined;
}

/** How far apart two requests are; 0 where the second is none that simply follows. */
function strideOf(plan: PaginatorPlan, request: PageRequest, next: PageRequest): number {
  const slot = slotOf(plan);
  const { back, again, rounded, odd, off } = next.memory?.overlap ?? {};
  if (!slot || back !== undefined || again || rounded || odd || off) return 0;
  return Number(valueAt(next, slot)) - Number(valueAt(request, slot));
}

/** The first value behind the last page, as far as it is known. */
function endOf(plan: PaginatorPlan, { memory }: PageRequest, start: number): number {
  if (plan.type !== "offset" && plan.type !== "page_number") return 0;
  const total = memory?.total ?? Number.POSITIVE_INFINITY;
  const end = Math.min(
    total + (plan.type === "page_number" ? plan.basePage : 0),
    plan.maximum ?? Number.POSITIVE_INFINITY,
  );
  // A page begins with rows of the one before: with nothing else, it is not asked for.
  const overlap = memory?.overlap ? memory.overlap.position - start : 0;
  return end - overlap;
}
