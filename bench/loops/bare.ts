import { createHmac, hash } from "node:crypto";
import { Agent, request } from "undici";
import type { Loop } from "../measure.ts";
import { forEachPage, splitBatches } from "./pages.ts";

/** Writes a value in DynamoDB's JSON, without an object in between. */
function attributeText(value: unknown): string {
  if (value === null) return '{"NULL":true}';
  if (typeof value === "string") return `{"S":${JSON.stringify(value)}}`;
  if (typeof value === "number") return `{"N":"${value}"}`;
  if (typeof value === "boolean") return `{"BOOL":${value}}`;
  if (Array.isArray(value)) return `{"L":[${value.map(attributeText).join(",")}]}`;
  return `{"M":${membersText(value as object)}}`;
}

function membersText(value: object): string {
  let text = "";
  for (const [name, member] of Object.entries(value)) {
    text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${attributeText(member)}`;
  }
  return `{${text}}`;
}

const TARGET = "DynamoDB_20120810.BatchWriteItem";
const TYPE = "application/x-amz-json-1.0";
const SIGNED = "content-type;host;x-amz-date;x-amz-target";

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text);

/** Signs requests by AWS Signature Version 4. The key is created once a day. */
function createSigner(host: string, region: string, id: string, secret: string) {
  let signingDay = "";
  let signingKey = Buffer.alloc(0);
  return (body: string) => {
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const day = time.slice(0, 8);
    if (day !== signingDay) {
      signingDay = day;
      signingKey = [day, region, "dynamodb", "aws4_request"].reduce(
        (key, part) => hmac(key, part).digest(),
        Buffer.from(`AWS4${secret}`),
      );
    }
    const headers = `content-type:${TYPE}\nhost:${host}\nx-amz-date:${time}\nx-amz-target:${TARGET}\n`;
    const canonical = `POST\n/\n\n${headers}\n${SIGNED}\n${hash("sha256", body)}`;
    const scope = `${day}/${region}/dynamodb/aws4_request`;
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash("sha256", canonical)}`;
    const signature = hmac(signingKey, toSign).digest("hex");
    return {
      "content-type": TYPE,
      "x-amz-date": time,
      "x-amz-target": TARGET,
      authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${SIGNED}, Signature=${signature}`,
    };
  };
}

/** The lower bound for copying pages in JavaScript, without an SDK and without objects. */
export const runBareLoop: Loop = async ({ api, dynamodb }) => {
  const dispatcher = new Agent();
  const sign = createSigner(new URL(dynamodb).host, "us-east-1", "bench", "bench");
  const sendBatch = async (body: string) => {
    const headers = sign(body);
    const answer = await request(dynamodb, { method: "POST", body, headers, dispatcher });
    await answer.body.text();
  };
  const records = await forEachPage(
    async (query) => JSON.parse(await (await request(api + query, { dispatcher })).body.text()),
    (data) => {
      const puts = data.map(({ id, ...rest }) => {
        const item = `{"id":{"S":"${id}"},${membersText(rest).slice(1)}`;
        return `{"PutRequest":{"Item":${item}}}`;
      });
      return Promise.all(
        splitBatches(puts).map((batch) =>
          sendBatch(`{"RequestItems":{"bare":[${batch.join(",")}]}}`),
        ),
      );
    },
    { ahead: true },
  );
  await dispatcher.close();
  return records;
};
