import { type Level, type Paging, pageSize } from "../draw/levels.ts";
import type { Dataset } from "./dataset.ts";
import type { Shown } from "./record.ts";
import { latest, type Row } from "./rows.ts";
import { grain, stampMs } from "./stamps.ts";

/** One row in a list. A twin stands there twice. */
interface Entry extends Shown {
  copy: 0 | 1;
}

/** The rows that a request asks for, in the API's order. */
export function listFor(
  dataset: Dataset,
  level: Level,
  parent: Row | undefined,
  query: URLSearchParams,
): Entry[] {
  const { cursor } = level;
  const format = cursor?.format ?? "iso";
  const bound = (name: string) => {
    const text = cursor?.isFiltered ? query.get(name) : null;
    return text === null ? undefined : stampMs(text, format);
  };
  const since = bound("since");
  const until = bound("until");
  const stampOf = (row: Row) => Math.floor(latest(row).stamp / grain[format]) * grain[format];
  return dataset
    .list(level.depth, parent)
    .filter((row) => since === undefined || stampOf(row) >= since)
    .filter((row) => until === undefined || stampOf(row) <= until)
    .sort((a, b) => compare(placeOf(a, level), placeOf(b, level)))
    .flatMap((row): Entry[] => {
      const shown = { row, version: latest(row) };
      const first: Entry = { ...shown, copy: 0 };
      return row.isTwin ? [first, { ...shown, copy: 1 }] : [first];
    });
}

type PlaceInList = [number, number];

/** Where a row stands: first by this, then by its id. */
function placeOf(row: Row, { order }: Level): PlaceInList {
  const { stamp } = latest(row);
  const by = {
    id: row.id,
    newest: -row.id,
    shuffled: (row.id * 7919) % 101,
    stamp,
    stamp_desc: -stamp,
  };
  return [by[order], row.id];
}

const compare = (a: PlaceInList, b: PlaceInList): number => a[0] - b[0] || a[1] - b[1];

/** A page, and where the next one is: a number of rows, or the last row. Undefined after the last. */
export interface ListPage {
  entries: Entry[];
  isFirst: boolean;
  next: { number: number } | { token: string } | undefined;
  total: number;
}

export function pageOf(list: Entry[], level: Level, query: URLSearchParams): ListPage {
  const { paging } = level;
  const size = sizeFor(paging, query);
  const token = query.get("after") ?? query.get("cursor");
  if (paging.by === "key" && paging.family !== "single_page") {
    const start = token === null ? 0 : positionAfter(token, list, level);
    const entries = list.slice(start, start + size);
    const last = entries.at(-1);
    const hasMore = start + entries.length < list.length;
    return {
      entries,
      isFirst: token === null,
      next: last && hasMore ? { token: tokenOf(last, level) } : undefined,
      total: list.length,
    };
  }
  const start = startOf(paging, size, query);
  const entries = list.slice(start, start + size);
  const end = start + entries.length;
  return {
    entries,
    isFirst: start === 0,
    next: end < list.length && entries.length > 0 ? { number: end } : undefined,
    total: list.length,
  };
}

function sizeFor(paging: Paging, query: URLSearchParams): number {
  if (paging.family !== "offset") return pageSize(paging);
  return Math.min(Number(query.get("limit") ?? paging.limit), paging.cap);
}

function startOf({ family, basePage }: Paging, size: number, query: URLSearchParams): number {
  if (family === "single_page") return 0;
  if (family === "offset") return Number(query.get("offset") ?? 0);
  return (Number(query.get("page") ?? basePage) - basePage) * size;
}

const tokenOf = ({ row, copy }: Entry, level: Level): string =>
  [...placeOf(row, level), copy].join("~");

function positionAfter(token: string, list: readonly Entry[], level: Level): number {
  const [place = 0, id = 0, copy = 0] = token.split("~").map(Number);
  const at = list.findIndex((entry) => {
    const order = compare(placeOf(entry.row, level), [place, id]);
    return order > 0 || (order === 0 && entry.copy > copy);
  });
  return at < 0 ? list.length : at;
}
