import { createHmac, hash } from "node:crypto";
import { Agent, request } from "undici";
import type { Loop } from "../measure.ts";
import { batches, eachPage } from "./pages.ts";

/** A value as the text that goes over the wire, without an object in between. */
function wire(value: unknown): string {
  if (value === null) return '{"NULL":true}';
  if (typeof value === "string") return `{"S":${JSON.stringify(value)}}`;
  if (typeof value === "number") return `{"N":"${value}"}`;
  if (typeof value === "boolean") return `{"BOOL":${value}}`;
  if (Array.isArray(value)) return `{"L":[${value.map(wire).join(",")}]}`;
  return `{"M":${wireMembers(value as object)}}`;
}

function wireMembers(value: object): string {
  let text = "";
  for (const [name, member] of Object.entries(value)) {
    text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${wire(member)}`;
  }
  return `{${text}}`;
}

const TARGET = "DynamoDB_20120810.BatchWriteItem";
const TYPE = "application/x-amz-json-1.0";
const SIGNED = "content-type;host;x-amz-date;x-amz-target";

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text);

/** AWS Signature Version 4, for this one action: the key of a day is made once. */
function signer(host: string, region: string, id: string, secret: string) {
  let keyDay = "";
  let key = Buffer.alloc(0);
  return (body: string) => {
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const day = time.slice(0, 8);
    if (day !== keyDay) {
      keyDay = day;
      key = [day, region, "dynamodb", "aws4_request"].reduce(
        (last, part) => hmac(last, part).digest(),
        Buffer.from(`AWS4${secret}`),
      );
    }
    const headers = `content-type:${TYPE}\nhost:${host}\nx-amz-date:${time}\nx-amz-target:${TARGET}\n`;
    const canonical = `POST\n/\n\n${headers}\n${SIGNED}\n${hash("sha256", body)}`;
    const scope = `${day}/${region}/dynamodb/aws4_request`;
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash("sha256", canonical)}`;
    const signature = hmac(key, toSign).digest("hex");
    return {
      "content-type": TYPE,
      "x-amz-date": time,
      "x-amz-target": TARGET,
      authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${SIGNED}, Signature=${signature}`,
    };
  };
}

/** The least that reading pages and writing them can cost in JavaScript: no SDK, no objects. */
export const bare: Loop = async ({ api, dynamodb }) => {
  const dispatcher = new Agent();
  const sign = signer(new URL(dynamodb).host, "us-east-1", "bench", "bench");
  const send = async (body: string) => {
    const headers = sign(body);
    const answer = await request(dynamodb, { method: "POST", body, headers, dispatcher });
    await answer.body.text();
  };
  const records = await eachPage(
    async (query) => JSON.parse(await (await request(api + query, { dispatcher })).body.text()),
    (data) => {
      const puts = data.map(({ id, ...rest }) => {
        const item = `{"id":{"S":"${id}"},${wireMembers(rest).slice(1)}`;
        return `{"PutRequest":{"Item":${item}}}`;
      });
      return Promise.all(
        batches(puts).map((batch) => send(`{"RequestItems":{"bare":[${batch.join(",")}]}}`)),
      );
    },
    { ahead: true },
  );
  await dispatcher.close();
  return records;
};
