/**
 * The limits keep an API from exhausting a worker. Ordinary pages are far smaller, and a function of
 * 512 MB holds the largest page that is allowed. docs/faults.md lists the limits.
 */
export const limits = Object.freeze({
  connectMs: 10_000, // until a connection stands; client.timeout covers the whole request
  connections: 8, // to one origin at a time
  headerBytes: 16 * 1024, // of one answer, all names and values
  redirects: 5, // of one request
  bodyBytes: 64 * 1024 * 1024, // decoded
  ratio: 500, // of decoded to sent bytes, in bodies above anyRatioBytes
  anyRatioBytes: 8 * 1024 * 1024,
  values: 2 * 1024 * 1024, // of a body: objects and lists take 20 times the memory of their text
  storedCharacters: 64 * 1024, // of a link or a page token: checkpoints store them
  records: 200_000, // of a page
  pages: 1_000_000, // of one way through an endpoint
});
