// @ts-check
/*
 * The guard of every server that this project opens on 127.0.0.1. Listening there keeps other machines
 * out, and nobody else: web pages can send requests to it, a foreign host name can be made to lead to
 * it, and so can the programs of other users. It is plain JavaScript, because the process of the engine
 * is.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Makes the key of a server. It is hexadecimal, because an access key has letters and digits only. */
export const newKey = () => randomBytes(20).toString("hex");

/** What browsers say of requests that no other page has caused. */
const ownFetchSites = new Set(["same-origin", "none"]);

/**
 * Decides about a request before anything else looks at it. A refused request is answered here.
 *
 * With a `key`, the request has to carry it: as its AWS access key, or as the first segment of its
 * path, which is then taken off.
 *
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 * @param {string} [key]
 * @returns {boolean} true if the request may go on
 */
export function admitRequest(request, response, key) {
  const reason = foreignReason(request) ?? (key && !takeKey(request, key) ? missingKey : undefined);
  if (reason === undefined) return true;
  const body = JSON.stringify({ __type: "UnrecognizedClientException", message: reason });
  response.writeHead(403, {
    "content-type": "application/x-amz-json-1.0",
    "x-amzn-errortype": "UnrecognizedClientException",
    connection: "close",
  });
  response.end(body);
  // The body is dropped as it arrives: closing before its end could take the answer along.
  request.resume();
  return false;
}

const missingKey =
  "only programs with the key of this session are answered; `tidetable exec` and `tidetable env` pass it on";

/**
 * Says how a request shows that a web page or a foreign name of this machine has caused it.
 *
 * @param {import("node:http").IncomingMessage} request
 */
function foreignReason({ headers, headersDistinct, socket }) {
  const ownHosts = [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`];
  const hosts = headersDistinct.host ?? [];
  if (hosts.length !== 1 || !ownHosts.includes(String(hosts[0]).toLowerCase())) {
    return `the Host of a request has to be ${ownHosts[0]}`;
  }
  const fetchSite = headers["sec-fetch-site"];
  const isOfPage = headers.origin !== undefined && headers.origin !== `http://${hosts[0]}`;
  if (isOfPage || (fetchSite !== undefined && !ownFetchSites.has(String(fetchSite)))) {
    return "web pages of other origins are not answered";
  }
  return undefined;
}

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {string} key
 */
function takeKey(request, key) {
  const [, credential = ""] =
    /Credential=([^/,\s]+)/.exec(request.headers.authorization ?? "") ?? [];
  if (isEqual(credential, key)) return true;
  const [, segment = "", rest = ""] = /^\/([^/?]*)(.*)$/s.exec(request.url ?? "") ?? [];
  if (!isEqual(segment, key)) return false;
  request.url = rest.startsWith("/") ? rest : `/${rest}`;
  return true;
}

/**
 * Compares in a time that tells nothing about the key.
 *
 * @param {string} left
 * @param {string} right
 */
function isEqual(left, right) {
  const [leftHash, rightHash] = [left, right].map((text) =>
    createHash("sha256").update(text).digest(),
  );
  return leftHash !== undefined && rightHash !== undefined && timingSafeEqual(leftHash, rightHash);
}
