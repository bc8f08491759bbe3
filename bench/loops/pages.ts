import { PAGE_SIZE } from "../stubs.ts";

export interface PageAnswer {
  data: Record<string, unknown>[];
  total: number;
}

/**
 * Reads pages in order. With `ahead`, a page is read while `handle` works on the previous page.
 * Returns the number of records.
 */
export async function forEachPage(
  fetchPage: (query: string) => Promise<PageAnswer>,
  handle: (data: PageAnswer["data"]) => Promise<unknown>,
  { ahead = false } = {},
): Promise<number> {
  const requestPage = (offset: number): Promise<PageAnswer> =>
    fetchPage(`/records?offset=${offset}&limit=${PAGE_SIZE}`);
  let records = 0;
  let nextPage: Promise<PageAnswer> | undefined = requestPage(0);
  while (nextPage) {
    const page: PageAnswer = await nextPage;
    const { data, total } = page;
    records += data.length;
    const hasNext = records < total;
    nextPage = hasNext && ahead ? requestPage(records) : undefined;
    await handle(data);
    if (hasNext && !ahead) nextPage = requestPage(records);
  }
  return records;
}

/** The limit of a BatchWriteItem. */
const BATCH_SIZE = 25;

export function splitBatches<T>(items: readonly T[]): T[][] {
  const batches = [];
  for (let start = 0; start < items.length; start += BATCH_SIZE) {
    batches.push(items.slice(start, start + BATCH_SIZE));
  }
  return batches;
}
