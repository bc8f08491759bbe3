/**
 * How much an API may send and how long it may take, whatever it tries. Far beyond what pages are
 * like, and within what a function of 512 MB holds. docs/faults.md has them, too.
 */
export const limits = Object.freeze({
  connectMs: 10_000, // until a connection stands; the whole request has client.timeout
  connections: 8, // to one origin at a time
  headerBytes: 16 * 1024, // of one answer, all names and values
  redirects: 5, // of one request
  bodyBytes: 64 * 1024 * 1024, // decoded
  ratio: 500, // of decoded to sent bytes, in bodies beyond the next
  anyRatioBytes: 8 * 1024 * 1024,
  values: 2 * 1024 * 1024, // of a body: objects and lists weigh 20 times what their text does
  storedCharacters: 64 * 1024, // of a link or a page token: checkpoints store them
  records: 200_000, // of a page
  pages: 1_000_000, // of one way through an endpoint
});
