import { PAGE } from "../stubs.ts";

export interface Data {
  data: Record<string, unknown>[];
  total: number;
}

/** A page after another, or the next one while this one is taken. Says how many records it has handed on. */
export async function eachPage(
  get: (query: string) => Promise<Data>,
  take: (data: Data["data"]) => Promise<unknown>,
  { ahead = false } = {},
): Promise<number> {
  const ask = (offset: number): Promise<Data> => get(`/records?offset=${offset}&limit=${PAGE}`);
  let records = 0;
  let next: Promise<Data> | undefined = ask(0);
  while (next) {
    const page: Data = await next;
    const { data, total } = page;
    records += data.length;
    const goesOn = records < total;
    next = goesOn && ahead ? ask(records) : undefined;
    await take(data);
    if (goesOn && !ahead) next = ask(records);
  }
  return records;
}

/** As many as one BatchWriteItem takes. */
export function batches<T>(items: readonly T[]): T[][] {
  const made = [];
  for (let at = 0; at < items.length; at += 25) made.push(items.slice(at, at + 25));
  return made;
}
