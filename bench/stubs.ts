import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/*
 * A paged API and a DynamoDB endpoint that do nothing but answer, in a process of their own, so that
 * a benchmark measures the loop and not an engine. The endpoint counts the items it was given and
 * sums their keys: a fast loop that loses one is not fast.
 */

const [records = 0, pageSize = 0] = process.argv.slice(2).map(Number);

/** About 1 KB of JSON: nested maps, lists, nulls, some text that is not ASCII. */
const record = (id: number) => ({
  id,
  subject: `Order ${id} arrived damaged — please advise`,
  status: ["open", "pending", "solved", "closed"][id % 4],
  priority: id % 7 === 0 ? "urgent" : "normal",
  created_at: new Date(1_700_000_000_000 + id * 60_000).toISOString(),
  updated_at: new Date(1_700_000_000_000 + id * 90_000).toISOString(),
  assignee: id % 5 === 0 ? null : { id: 9000 + (id % 40), name: "Zoë Müller", active: true },
  requester: { id: 40_000 + id, email: `user${id}@example.com`, locale: "en-GB", phone: null },
  tags: ["billing", "eu", `batch-${id % 100}`],
  satisfaction: { score: (id % 50) / 10, comment: null },
  description: "The parcel was opened when it arrived and one of the parts was missing. ".repeat(5),
  custom: Object.fromEntries(
    Array.from({ length: 6 }, (_, n) => [`field_${n}`, `value ${id + n}`]),
  ),
});

const pages = new Map<number, Buffer>();
for (let offset = 0; offset <= records; offset += pageSize) {
  const length = Math.min(pageSize, records - offset);
  const data = Array.from({ length }, (_, n) => record(offset + n + 1));
  pages.set(offset, Buffer.from(JSON.stringify({ data })));
}

const api: RequestListener = (request, response) => {
  const offset = Number(new URL(request.url ?? "", "http://stub").searchParams.get("offset"));
  response.setHeader("content-type", "application/json");
  response.end(pages.get(offset) ?? '{"data":[]}');
};

let items = 0;
let sum = 0;

const answers: Record<string, (body: Buffer) => string> = {
  BatchWriteItem: (body) => {
    for (const [, id] of body.toString("latin1").matchAll(/"Item":\{"id":\{"S":"(\d+)"/g)) {
      items += 1;
      sum += Number(id);
    }
    return '{"UnprocessedItems":{}}';
  },
  DescribeTable: () =>
    JSON.stringify({
      Table: {
        TableStatus: "ACTIVE",
        TableId: "stub",
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      },
    }),
};

const dynamodb: RequestListener = (request, response) => {
  if (request.url === "/written") {
    response.end(JSON.stringify({ items, sum }));
    items = 0;
    sum = 0;
    return;
  }
  const body: Buffer[] = [];
  request.on("data", (chunk: Buffer) => body.push(chunk));
  request.on("end", () => {
    const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(answers[action]?.(Buffer.concat(body)) ?? "{}");
  });
};

const listen = (listener: RequestListener) =>
  new Promise<string>((resolve) => {
    const server = createServer(listener).listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });

process.stdout.write(
  `${JSON.stringify({ api: await listen(api), dynamodb: await listen(dynamodb) })}\n`,
);
process.stdin.on("end", () => process.exit()).resume();
