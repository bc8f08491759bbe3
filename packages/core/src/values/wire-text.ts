import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { WireItem } from "../base/wire.ts";

/*
 * Converts between the JSON of DynamoDB's protocol and the objects of the SDK. They differ in binary
 * values only: base64 in JSON, bytes in the SDK.
 */

/** Parses the text of an item. Every number in it is a string, so that nothing is rounded. */
export const parseWireItem = (text: string): WireItem => JSON.parse(text);

/** Returns the item of a text as the SDK's attribute values. */
export const attributesOf = (text: string) => wireToSdk<Record<string, AttributeValue>>(text);

/** Parses any text of the protocol, for the SDK. Only a type B has a string under the name `B`. */
export const wireToSdk = <T>(text: string): T =>
  JSON.parse(text, (name, value) =>
    name === "B" && typeof value === "string" ? Buffer.from(value, "base64") : value,
  );

/** Writes objects of the SDK as text of the protocol. */
export const sdkToWire = (value: object): string => JSON.stringify(value, writeBytes);

function writeBytes(this: Record<string, unknown>, name: string, value: unknown): unknown {
  // The SDK loses the value of an attribute of this name, and it must not look as if it were not there.
  if (name === "__proto__" && value === undefined) return {};
  // `value` has lost its type where it was a Buffer, because a Buffer writes itself.
  const bytes = this[name];
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString("base64") : value;
}
