import { byCursor, byLink, bySearch, type Paging } from "./paging.ts";
import {
  forumPost,
  forumTopic,
  genericResource,
  helpDeskTicket,
  incident,
  type MakeRecord,
  product,
  repositoryIssue,
  supportTicket,
  ticket,
  ticketComment,
} from "./records.ts";

/** A system with an API. Each has a host of its own. */
export interface SampleSystem {
  source: string;
  auth: "api_key" | "oauth2" | "bearer" | "http_basic";
  /** The valid credentials, with the names that the source's config uses. */
  secrets: Record<string, string>;
  collections: Collection[];
}

export interface Collection {
  /** The name of the source's resource. */
  resource: string;
  method?: "POST";
  /** A parameter like `{topic_id}` selects the records with the same value in the member. */
  path: string;
  /** The default is by offset. */
  paging?: Paging;
  /** The member of the body that holds the records. */
  member: string;
  /** Whether pages have the total number of records. Most APIs have no total. */
  hasTotal?: true;
  /** The number of records in the first round. */
  size: number;
  makeRecord: MakeRecord;
  /** The requests of a round that fail, by number. */
  failures?: Record<number, 429 | 503>;
}

/**
 * The systems of the five registered sources. Their keys need escaping in a URL and in a form, as
 * real keys may.
 */
export const sampleSystems: readonly SampleSystem[] = [
  {
    source: "ticketing",
    auth: "api_key",
    secrets: { api_key: "sample/ticketing+key=" },
    collections: [
      {
        resource: "tickets",
        path: "/v1/tickets",
        member: "data",
        size: 340,
        makeRecord: ticket,
        failures: { 2: 429, 4: 503 },
      },
    ],
  },
  {
    source: "help_desk",
    auth: "api_key",
    secrets: { api_key: "sample/help desk&key" },
    collections: [
      {
        resource: "help_desk_tickets",
        path: "/v1/tickets",
        member: "data",
        hasTotal: true,
        size: 260,
        makeRecord: helpDeskTicket,
      },
    ],
  },
  {
    source: "incidents",
    auth: "api_key",
    secrets: { api_key: "sample/incidents%key" },
    collections: [
      {
        resource: "incident_data",
        path: "/v1/incidents",
        member: "data",
        size: 215,
        makeRecord: incident,
        failures: { 2: 503 },
      },
    ],
  },
  {
    source: "support",
    auth: "oauth2",
    secrets: { client_id: "sample-client", client_secret: "sample/support+secret=" },
    collections: [
      {
        resource: "support_tickets",
        path: "/v1/tickets",
        member: "tickets",
        // The last page is full, so only an empty page shows the end.
        size: 200,
        makeRecord: supportTicket,
      },
      {
        resource: "ticket_comments",
        path: "/v1/ticket_comments",
        member: "comments",
        size: 420,
        makeRecord: ticketComment,
        failures: { 3: 429 },
      },
    ],
  },
  {
    source: "generic",
    auth: "api_key",
    secrets: { api_key: "sample/generic#key" },
    collections: [
      {
        resource: "resource_name",
        path: "/v1/resource",
        member: "data",
        size: 230,
        makeRecord: genericResource,
      },
    ],
  },
];

/** The systems of the sources in `packages/sources/examples`. */
export const exampleSystems: readonly SampleSystem[] = [
  {
    source: "forum",
    auth: "bearer",
    secrets: { token: "sample/forum+token=" },
    collections: [
      {
        resource: "topics",
        path: "/api/topics",
        member: "topics",
        paging: byCursor,
        size: 24,
        makeRecord: forumTopic,
        failures: { 2: 429 },
      },
      {
        resource: "posts",
        path: "/api/topics/{topic_id}/posts",
        member: "posts",
        paging: byCursor,
        size: 90,
        makeRecord: forumPost,
      },
    ],
  },
  {
    source: "code_host",
    auth: "bearer",
    secrets: { token: "sample/code host&token" },
    collections: [
      {
        resource: "issues",
        path: "/repos/acme/rocket/issues",
        member: "issues",
        paging: byLink,
        size: 170,
        makeRecord: repositoryIssue,
        failures: { 2: 503 },
      },
    ],
  },
  {
    source: "catalogue",
    auth: "http_basic",
    secrets: { username: "sample", password: "sample/catalogue:password" },
    collections: [
      {
        resource: "products",
        method: "POST",
        path: "/products/_search",
        member: "hits",
        paging: bySearch,
        size: 230,
        makeRecord: product,
      },
    ],
  },
];
