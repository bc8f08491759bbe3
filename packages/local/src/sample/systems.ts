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

/** One of the systems behind the sources, on a host of its own. */
export interface System {
  source: string;
  auth: "api_key" | "oauth2" | "bearer" | "http_basic";
  /** What it accepts, under the names that the source's config gives them. */
  secrets: Record<string, string>;
  collections: Collection[];
}

export interface Collection {
  /** The source's name for it. */
  resource: string;
  method?: "POST";
  /** `{topic_id}` in it takes the records with that value in this member. */
  path: string;
  /** How it is cut into pages. Default: by offset. */
  paging?: Paging;
  /** The member of the body that holds the records. */
  member: string;
  /** Whether the body counts all records: most such APIs don't, and are read to an empty page. */
  total?: true;
  /** How many records there are at first. */
  size: number;
  make: MakeRecord;
  /** Which requests of a round go wrong, once each. */
  trouble?: Record<number, 429 | 503>;
}

// The keys need escaping in a URL and in a form, as real ones may.
export const sampleSystems: readonly System[] = [
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
        make: ticket,
        trouble: { 2: 429, 4: 503 },
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
        total: true,
        size: 260,
        make: helpDeskTicket,
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
        make: incident,
        trouble: { 2: 503 },
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
        // Full pages to the end: only the empty one says that it is the end.
        size: 200,
        make: supportTicket,
      },
      {
        resource: "ticket_comments",
        path: "/v1/ticket_comments",
        member: "comments",
        size: 420,
        make: ticketComment,
        trouble: { 3: 429 },
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
        make: genericResource,
      },
    ],
  },
];

/** The systems behind `packages/sources/examples`. */
export const exampleSystems: readonly System[] = [
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
        make: forumTopic,
        trouble: { 2: 429 },
      },
      {
        resource: "posts",
        path: "/api/topics/{topic_id}/posts",
        member: "posts",
        paging: byCursor,
        size: 90,
        make: forumPost,
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
        make: repositoryIssue,
        trouble: { 2: 503 },
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
        make: product,
      },
    ],
  },
];
