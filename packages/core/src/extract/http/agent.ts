import { lookup } from "node:dns";
import { isIP, type LookupFunction, type Socket } from "node:net";
import type { buildConnector, Dispatcher } from "undici";
import requestTunnel from "undici/lib/api/api-connect.js";
import createConnector from "undici/lib/core/connect.js";
import EnvHttpProxyAgent from "undici/lib/dispatcher/env-http-proxy-agent.js";
import Pool from "undici/lib/dispatcher/pool.js";
import { type Network, refuseAddress } from "../../base/addresses.ts";
import { ConfigError, RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";

/** The values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export interface Proxies {
  http?: string | undefined;
  https?: string | undefined;
  /** Hosts that are reached without a proxy, separated by commas. */
  none?: string | undefined;
}

/**
 * Connections to the API, kept for the life of a container. No URL, redirect or name server can lead
 * to an address that is closed to a worker. Where a proxy connects, only the URL is checked: the proxy
 * alone knows the address.
 */
export function httpAgent(network: Network = "internet", proxies: Proxies = {}): Dispatcher {
  const agent = new EnvHttpProxyAgent({
    // An empty string keeps undici from reading the environment itself.
    httpProxy: parseProxyUrl("HTTP_PROXY", proxies.http),
    httpsProxy: parseProxyUrl("HTTPS_PROXY", proxies.https),
    noProxy: proxies.none ?? "",
    // For http, clients send whole URLs to a proxy: many proxies allow tunnels for https only.
    proxyTunnel: false,
    // The undici package adds `connect` to its dispatchers, but this import does not load the package.
    clientFactory: (origin, options) =>
      Object.assign(new Pool(origin, options), { connect: requestTunnel }),
    connections: limits.connections,
    // Many servers mishandle several requests at once on a connection.
    pipelining: 1,
    maxHeaderSize: limits.headerBytes,
    connect: openConnector(network),
    // The transport limits the time of a whole request. These limits only close connections to a
    // silent server after the request has been given up.
    headersTimeout: 300_000,
    bodyTimeout: 300_000,
  });
  return agent.compose((dispatch) => (options, handler) => {
    assertUrlAllowed(new URL(String(options.origin)), network);
    return dispatch(options, handler);
  });
}

/** People often leave the scheme out. */
function parseProxyUrl(name: string, value = ""): string {
  const url = value === "" || value.includes("://") ? value : `http://${value}`;
  if (url === "" || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))) return url;
  // The value is not quoted: a proxy's password may stand in it.
  throw new ConfigError({
    code: "config.proxy",
    message: `${name} is no URL of an http proxy`,
    hint: "write it like http://proxy.example.com:3128",
  });
}

/** Checks the URL itself, in which the parser has normalised every spelling of an address. */
function assertUrlAllowed({ origin, protocol, hostname }: URL, network: Network): void {
  if (protocol !== "https:" && network !== "machine") throw insecureError(origin);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const error = isIP(host) === 0 ? undefined : addressError(host, host, network);
  if (error) throw error;
}

function openConnector(network: Network): buildConnector.connector {
  const connect = createConnector({ timeout: limits.connectMs, lookup: lookupFor(network) });
  return (options, done) => {
    // The declared type is void, but undici returns the socket. A void would throw on the next line.
    const socket = connect(options, done) as unknown as Socket;
    // The address that the socket reached is checked before a handshake or a request is sent.
    socket.prependOnceListener("connect", () => {
      const { remoteAddress: address } = socket;
      const error =
        address === undefined ? undefined : addressError(options.hostname, address, network);
      if (error) socket.destroy(error);
    });
  };
}

/** One forbidden address refuses the whole name: undici connects to whichever address is fastest. */
const lookupFor =
  (network: Network): LookupFunction =>
  (hostname, options, done) =>
    lookup(hostname, options, (lookupError, result, family) => {
      const addresses = [result ?? []]
        .flat()
        .map((entry) => (typeof entry === "string" ? entry : entry.address));
      const [error] = addresses.flatMap(
        (address) => addressError(hostname, address, network) ?? [],
      );
      done(lookupError ?? error ?? null, result, family);
    });

function addressError(host: string, address: string, network: Network): RequestError | undefined {
  const reason = refuseAddress(address, network);
  if (!reason) return undefined;
  return new RequestError({
    code: "extract.address",
    message: `${host} ${host === address ? "is" : `leads to ${address},`} ${reason}, and nothing is sent there`,
    hint: "check base_url, and who answers for its name; an API in a network of your own needs function.vpc",
    retryable: false,
  });
}

const insecureError = (origin: string) =>
  new RequestError({
    code: "extract.insecure",
    message: `${origin} is not https, and a worker in AWS sends nothing in the clear`,
    hint: "write https:// into base_url; local mode alone reads http",
    retryable: false,
  });
