/**
 * Creates a generator of numbers in [0, 1) that look random and depend only on the seed: a counter
 * in steps of the golden ratio, scrambled like the end of a Murmur3 hash. Not for secrets.
 */
export function seededRandom(seed: number): () => number {
  let counter = seed;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = counter;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
  };
}
