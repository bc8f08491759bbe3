import { PAGE } from "../stubs.ts";

export interface Data {
  data: Record<string, unknown>[];
  total: number;
}

/** A page after another. Says how many records it has handed on. */
export async function eachPage(
  get: (query: string) => Promise<Data>,
  take: (data: Data["data"]) => Promise<unknown>,
): Promise<number> {
  let records = 0;
  for (let total = 1; records < total; ) {
    const page = await get(`/records?offset=${records}&limit=${PAGE}`);
    await take(page.data);
    records += page.data.length;
    total = page.total;
  }
  return records;
}

/** As many as one BatchWriteItem takes. */
export function batches<T>(items: readonly T[]): T[][] {
  const made = [];
  for (let at = 0; at < items.length; at += 25) made.push(items.slice(at, at + 25));
  return made;
}
