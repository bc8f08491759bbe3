import { isIP } from "node:net";
import { refusal } from "../base/addresses.ts";

/** RFC 2606 and RFC 6761: nobody can own these names, so nothing real is behind them. */
const reserved = /(^|\.)(example\.(com|net|org)|example|test|invalid|localhost)\.?$/;

/**
 * Is there nothing to read at this URL's host for a worker in AWS? So it is with the hosts that are
 * reserved for examples, and with the addresses that mean the machine itself.
 *
 * @example isExampleHost("https://api.example.com/v2")
 */
export function isExampleHost(url: string): boolean {
  const { hostname } = new URL(url);
  return reserved.test(hostname) || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * Does only local mode read it? A worker in AWS asks for https, and not for its own machine.
 *
 * @example isLocalOnly("http://127.0.0.1:4010")
 */
export function isLocalOnly(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return protocol !== "https:" || (isIP(host) !== 0 && refusal(host, "vpc") !== undefined);
}
