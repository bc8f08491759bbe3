import { type Attributes, sizeOf } from "./units.ts";

/**
 * A row as the text that the wire had: it costs the least to keep and to send back. Its bytes stand
 * in it one a character.
 */
export interface Row {
  text: string;
  bytes: number;
}

export interface Table {
  get(key: string): Row | undefined;
  put(key: string, text: string, item?: Attributes): Row;
  delete(key: string): void;
  /** Behind a key, in the order in which rows came. */
  after(key: string | undefined, limit: number): string[];
  /** Rows that there are, and the sum of their keys where these are numbers. */
  check(): { items: number; sum: number };
}

export function openTable(keysOnly: boolean): Table {
  const rows = new Map<string, Row>();
  // A row's place outlives it: a scan may go on behind one that is gone.
  const order: string[] = [];
  const places = new Map<string, number>();
  return {
    get: (key) => rows.get(key),
    put(key, text, item = JSON.parse(text)) {
      const row = { text: keysOnly ? `{"id":{"S":"${key}"}}` : text, bytes: sizeOf(item) };
      rows.set(key, row);
      if (!places.has(key)) places.set(key, order.push(key) - 1);
      return row;
    },
    delete: (key) => rows.delete(key),
    after(key, limit) {
      const found = [];
      const first = key === undefined ? 0 : (places.get(key) ?? 0) + 1;
      for (let at = first; at < order.length && found.length < limit; at++) {
        const next = order[at] as string;
        if (rows.has(next)) found.push(next);
      }
      return found;
    },
    check() {
      let sum = 0;
      for (const key of rows.keys()) sum += Number(key);
      return { items: rows.size, sum };
    },
  };
}
