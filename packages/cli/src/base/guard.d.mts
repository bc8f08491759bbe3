import type { IncomingMessage, ServerResponse } from "node:http";

/** Makes the key of a server: hexadecimal, because an access key has letters and digits only. */
export function newKey(): string;

/**
 * Decides about a request before anything else looks at it, and answers a refused one. With a `key`,
 * the request has to carry it: as its AWS access key, or as the first segment of its path, which is
 * then taken off.
 */
export function admitRequest(
  request: IncomingMessage,
  response: ServerResponse,
  key?: string,
): boolean;
