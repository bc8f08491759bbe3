import { Agent } from "undici";

/** Connections to the API, kept for the life of a container. */
export const httpAgent = (): Agent =>
  new Agent({
    connections: 8,
    // A page is one request in flight; many servers mishandle more on a connection.
    pipelining: 1,
    connect: { timeout: 10_000 },
    // The time limit of a request is the transport's, in total. These only end a silent server that
    // nobody waits for any more.
    headersTimeout: 300_000,
    bodyTimeout: 300_000,
  });
