import { Agent, request } from "undici";
import { PAGE_SIZE, type Stubs } from "../stubs.ts";

/** Reads all pages, so many at once, and does nothing with them. Returns the number of pages. */
export async function runFetchOnlyLoop(
  { api }: Stubs,
  { records, pages }: { records: number; pages: number },
): Promise<number> {
  const dispatcher = new Agent();
  const pageCount = Math.ceil(records / PAGE_SIZE);
  let nextPage = 0;
  const fetchPages = async () => {
    while (nextPage < pageCount) {
      const offset = nextPage * PAGE_SIZE;
      nextPage += 1;
      const url = `${api}/records?offset=${offset}&limit=${PAGE_SIZE}`;
      await (await request(url, { dispatcher })).body.text();
    }
  };
  await Promise.all(Array.from({ length: pages }, fetchPages));
  await dispatcher.close();
  return pageCount;
}
