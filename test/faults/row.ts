import { type Fault, head } from "../support/faults.ts";

/** One way in which an API goes wrong, at its second page of three. */
export interface Row {
  /** What it does, as docs/faults.md says it. */
  does: string;
  answer: Fault;
  /** It goes wrong at the first page already. */
  first?: true;
  /** The code and the message that a person reads; `$api` is the API's address. */
  fails?: [code: string, message: string];
  /** Another attempt is made. */
  retried?: true;
  /** Why a record of the page is set aside. */
  aside?: [code: string, message: string];
  /** The ids that the page gives; `["3", "4"]` unless it fails. */
  ids?: string[];
  /** More of what the page's rows are then. */
  items?: Record<string, unknown>[];
  /** Seconds. Short, so that faults that take time take little. */
  timeout?: number;
  endpoint?: object;
}

/** The second page as it should be. */
export const page = '{"data":[{"id":3},{"id":4}]}';
export const MIB = 2 ** 20;

/** A page of these. */
export const data = (...records: string[]): string => `{"data":[${records.join()}]}`;

/** A piece of a chunked body, and the head before the first. */
export const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
export const chunkedHead = head({ "transfer-encoding": "chunked" });

export const closed = "GET /rows: $api closed the connection before its answer was complete";
export const noHttp = "GET /rows: $api failed to answer in HTTP (HTTPParserError)";
export const tooLate = "GET /rows timed out after 0.4 s";
export const broken = "GET /rows answered 200 with JSON that is broken or ended early";
