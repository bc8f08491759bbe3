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

/** Without its key, which makes it worthless. */
const flawed = ({ id, ...rest }: ReturnType<typeof record>) =>
  id % 100 === 0 ? rest : { id, ...rest };

/** A benchmark reads the same few pages again and again; a soak reads more than fit into memory. */
const KEPT_PAGES = 1000;
const pages = new Map<string, Buffer>();

function pageAt(path: string, offset: number): Buffer {
  const name = `${path} ${offset}`;
  const kept = pages.get(name);
  if (kept) return kept;
  const length = Math.max(0, Math.min(pageSize, records - offset));
  const whole = Array.from({ length }, (_, n) => record(offset + n + 1));
  const data = path === "/flawed" ? whole.map(flawed) : whole;
  const page = Buffer.from(JSON.stringify({ data }));
  if (pages.size < KEPT_PAGES) pages.set(name, page);
  return page;
}

const api: RequestListener = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://stub");
  response.setHeader("content-type", "application/json");
  response.end(pageAt(pathname, Number(searchParams.get("offset"))));
};

let items = 0;
let sum = 0;
/** What a refresh has to find again at its end: the blocks of keys that it has seen. */
const seen = new Map<string, unknown>();

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
  PutItem: (body) => {
    const { Item } = JSON.parse(body.toString());
    if (Item.pk.S.includes("/seen/")) seen.set(Item.pk.S, Item);
    return "{}";
  },
  BatchGetItem: (body) => {
    const [[table, { Keys }]] = Object.entries<{ Keys: { pk: { S: string } }[] }>(
      JSON.parse(body.toString()).RequestItems,
    ) as [[string, { Keys: { pk: { S: string } }[] }]];
    const found = Keys.flatMap(({ pk }) => seen.get(pk.S) ?? []);
    return JSON.stringify({ Responses: { [table]: found } });
  },
  /** The table that a refresh sweeps has every record and nothing else. */
  Scan: (body) => {
    const { Limit, ExclusiveStartKey } = JSON.parse(body.toString());
    const first = Number(ExclusiveStartKey?.id.S ?? 0) + 1;
    const length = Math.min(Limit, records - first + 1);
    const rows = Array.from({ length }, (_, n) => ({ id: { S: String(first + n) } }));
    const more = first + length <= records ? { LastEvaluatedKey: rows.at(-1) } : {};
    return JSON.stringify({ Items: rows, ...more });
  },
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
