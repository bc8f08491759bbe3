import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { type Ask, fromOne, pages } from "./pages.ts";
import { answer, type Place } from "./place.ts";
import { projection } from "./projection.ts";
import { type Row, rowsOf } from "./rows.ts";
import type { Pages, ScanOptions } from "./types.ts";

export function scan(place: Place, options: ScanOptions = {}): Pages<Row> {
  const { fields, consistent, segments = 1 } = options;
  const limit = fromOne("limit", options.limit, place);
  const TotalSegments = fromOne("segments", segments, place) ?? 1;
  const parts = Array.from({ length: TotalSegments }, (_, Segment): Ask => {
    const input = { TableName: place.table, Segment, TotalSegments, ConsistentRead: consistent };
    return (more, abortSignal) => {
      const command = new ScanCommand({ ...input, ...projection(fields), ...more });
      return answer(place, (client) => client.send(command, { abortSignal }));
    };
  });
  return pages(parts, rowsOf(place, fields), limit);
}
