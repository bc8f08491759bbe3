import { isIP } from "node:net";
import { refuseAddress } from "../base/addresses.ts";

/** RFC 2606 and RFC 6761 reserve these names. Nobody can register them for a real API. */
const reservedName = /(^|\.)(example\.(com|net|org)|example|test|invalid|localhost)\.?$/;

/**
 * True for the hosts that are reserved for examples and for the addresses of the machine itself: a
 * worker in AWS would find no API there.
 *
 * @example isExampleHost("https://api.example.com/v2")
 */
export function isExampleHost(url: string): boolean {
  const { hostname } = new URL(url);
  return reservedName.test(hostname) || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * True for URLs that only local mode reads. A worker in AWS requests https, and never its own
 * machine.
 *
 * @example isLocalOnly("http://127.0.0.1:4010")
 */
export function isLocalOnly(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return protocol !== "https:" || (isIP(host) !== 0 && refuseAddress(host, "vpc") !== undefined);
}
