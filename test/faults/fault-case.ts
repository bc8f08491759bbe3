import { answerHead, type Fault } from "../support/faults.ts";

/** One fault of an API, at its second page of three. */
export interface FaultCase {
  /** What the API does: a predicate, which is also the first cell in docs/faults.md. */
  fault: string;
  answer: Fault;
  /** The fault is at the first page. */
  isFirstPage?: true;
  /** The code and the message that a person reads; `$api` is the API's address. */
  error?: [code: string, message: string];
  /** The request is tried a second time. */
  isRetried?: true;
  /** Why a record of the page is set aside. */
  rejection?: [code: string, message: string];
  /** The ids that the page gives; `["3", "4"]` unless it fails. */
  ids?: string[];
  /** Items that the table has afterwards. */
  items?: Record<string, unknown>[];
  /** Replaces keys of the resource's endpoint. */
  endpoint?: object;
}

/** The second page as a healthy API sends it. */
export const secondPage = '{"data":[{"id":3},{"id":4}]}';
export const MIB = 2 ** 20;

/** The body of a page with these records. */
export const pageOf = (...records: string[]): string => `{"data":[${records.join()}]}`;

/** A piece of a chunked body; `chunkedHead` comes before the first piece. */
export const chunkOf = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
export const chunkedHead = answerHead({ "transfer-encoding": "chunked" });

export const connectionClosed =
  "GET /rows: $api closed the connection before its answer was complete";
export const notHttp = "GET /rows: $api failed to answer in HTTP (HTTPParserError)";
export const timedOut = "GET /rows timed out after 30 s";
export const brokenJson = "GET /rows answered 200 with JSON that is broken or ended early";
