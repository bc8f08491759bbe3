import { type Attributes, itemSize } from "./units.ts";

/**
 * A row as the text of the request, which is cheap to store and to send back. Each character holds a
 * byte.
 */
export interface Row {
  text: string;
  bytes: number;
}

export interface Table {
  get(key: string): Row | undefined;
  put(key: string, text: string, item?: Attributes): Row;
  delete(key: string): void;
  /** The keys after a key, in the order of insertion. */
  keysAfter(key: string | undefined, limit: number): string[];
  /** The number of rows, and the sum of numeric keys. */
  summarize(): { items: number; sum: number };
}

export function openTable(keysOnly: boolean): Table {
  const rows = new Map<string, Row>();
  // The position of a deleted row is kept, because a scan may continue after a deleted row.
  const insertionOrder: string[] = [];
  const positions = new Map<string, number>();
  return {
    get: (key) => rows.get(key),
    put(key, text, item = JSON.parse(text)) {
      const row = { text: keysOnly ? `{"id":{"S":"${key}"}}` : text, bytes: itemSize(item) };
      rows.set(key, row);
      if (!positions.has(key)) positions.set(key, insertionOrder.push(key) - 1);
      return row;
    },
    delete: (key) => rows.delete(key),
    keysAfter(key, limit) {
      const keys = [];
      const start = key === undefined ? 0 : (positions.get(key) ?? 0) + 1;
      for (let i = start; i < insertionOrder.length && keys.length < limit; i++) {
        const nextKey = insertionOrder[i] as string;
        if (rows.has(nextKey)) keys.push(nextKey);
      }
      return keys;
    },
    summarize() {
      let sum = 0;
      for (const key of rows.keys()) sum += Number(key);
      return { items: rows.size, sum };
    },
  };
}
