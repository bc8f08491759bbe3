import { lookup } from "node:dns";
import { isIP, type LookupFunction, type Socket } from "node:net";
import type { buildConnector, Dispatcher } from "undici";
import askTunnel from "undici/lib/api/api-connect.js";
import connectorTo from "undici/lib/core/connect.js";
import EnvHttpProxyAgent from "undici/lib/dispatcher/env-http-proxy-agent.js";
import Pool from "undici/lib/dispatcher/pool.js";
import { type Network, refusal } from "../../base/addresses.ts";
import { ConfigError, RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";

/** What goes through a proxy and what does not, in the words that the environment has for it. */
export interface Proxies {
  http?: string | undefined;
  https?: string | undefined;
  /** Hosts that are reached without one, by comma. */
  none?: string | undefined;
}

/**
 * Connections to the API, kept for the life of a container. Whatever a URL, a redirect or a name
 * server says: none is made to where a worker has no business. Behind a proxy that is the proxy's
 * to see to, but for what a URL itself shows.
 */
export function httpAgent(network: Network = "internet", proxies: Proxies = {}): Dispatcher {
  const agent = new EnvHttpProxyAgent({
    // Empty, and not left out: it would look for itself.
    httpProxy: proxyUrl("HTTP_PROXY", proxies.http),
    httpsProxy: proxyUrl("HTTPS_PROXY", proxies.https),
    noProxy: proxies.none ?? "",
    // As all clients do it: many proxies let only https through in a tunnel.
    proxyTunnel: false,
    // What the whole package adds to all dispatchers, and this one is asked for.
    clientFactory: (origin, options) =>
      Object.assign(new Pool(origin, options), { connect: askTunnel }),
    connections: limits.connections,
    // A page is one request in flight; many servers mishandle more on a connection.
    pipelining: 1,
    maxHeaderSize: limits.headerBytes,
    connect: connector(network),
    // The time limit of a request is the transport's, in total. These only end a silent server that
    // nobody waits for any more.
    headersTimeout: 300_000,
    bodyTimeout: 300_000,
  });
  return agent.compose((dispatch) => (options, handler) => {
    assertOpenTo(new URL(String(options.origin)), network);
    return dispatch(options, handler);
  });
}

/** A host and a port alone are a URL to those who set these variables. */
function proxyUrl(name: string, value = ""): string {
  const url = value === "" || value.includes("://") ? value : `http://${value}`;
  if (url === "" || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))) return url;
  // It is not quoted: a proxy's password may stand in it.
  throw new ConfigError({
    code: "config.proxy",
    message: `${name} is no URL of an http proxy`,
    hint: "write it like http://proxy.example.com:3128",
  });
}

/** What can be told from a URL alone. Its parser has turned every way to write an address into one. */
function assertOpenTo({ origin, protocol, hostname }: URL, network: Network): void {
  if (protocol !== "https:" && network !== "machine") throw insecure(origin);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const error = isIP(host) === 0 ? undefined : refused(host, host, network);
  if (error) throw error;
}

function connector(network: Network): buildConnector.connector {
  const connect = connectorTo({ timeout: limits.connectMs, lookup: lookupFor(network) });
  return (options, done) => {
    // Its type says void. Were it to return nothing one day, then nothing would connect.
    const socket = connect(options, done) as unknown as Socket;
    // The socket has the last word, before a handshake or a request is on it.
    socket.prependOnceListener("connect", () => {
      const { remoteAddress: address } = socket;
      const error = address === undefined ? undefined : refused(options.hostname, address, network);
      if (error) socket.destroy(error);
    });
  };
}

/** One bad answer of a name server spoils all: which of them is connected to, a race decides. */
const lookupFor =
  (network: Network): LookupFunction =>
  (hostname, options, done) =>
    lookup(hostname, options, (failed, found, family) => {
      const addresses = [found ?? []].flat();
      const [error] = addresses.flatMap(
        (one) => refused(hostname, typeof one === "string" ? one : one.address, network) ?? [],
      );
      done(failed ?? error ?? null, found, family);
    });

function refused(host: string, address: string, network: Network): RequestError | undefined {
  const why = refusal(address, network);
  if (!why) return undefined;
  return new RequestError({
    code: "extract.address",
    message: `${host} ${host === address ? "is" : `leads to ${address},`} ${why}, and nothing is sent there`,
    hint: "check base_url, and who answers for its name; an API in a network of your own needs function.vpc",
    retryable: false,
  });
}

const insecure = (origin: string) =>
  new RequestError({
    code: "extract.insecure",
    message: `${origin} is not https, and a worker in AWS sends nothing in the clear`,
    hint: "write https:// into base_url; local mode alone reads http",
    retryable: false,
  });
