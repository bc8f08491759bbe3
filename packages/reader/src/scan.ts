import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { checkCount, type RequestPage, readPages } from "./pages.ts";
import { projectionOf } from "./projection.ts";
import { type Row, rowReader } from "./rows.ts";
import { sendRequest, type TableAccess } from "./table-access.ts";
import type { Pages, ScanOptions } from "./types.ts";

export function scanRows(access: TableAccess, options: ScanOptions = {}): Pages<Row> {
  const { fields, consistent, segments = 1 } = options;
  const limit = checkCount("limit", options.limit, access);
  const TotalSegments = checkCount("segments", segments, access) ?? 1;
  const requests = Array.from({ length: TotalSegments }, (_, Segment): RequestPage => {
    const input = { TableName: access.table, Segment, TotalSegments, ConsistentRead: consistent };
    return (position, abortSignal) => {
      const command = new ScanCommand({ ...input, ...projectionOf(fields), ...position });
      return sendRequest(access, (client) => client.send(command, { abortSignal }));
    };
  });
  return readPages(requests, rowReader(access, fields), limit);
}
