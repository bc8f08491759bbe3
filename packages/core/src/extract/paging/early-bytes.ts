import { RequestError } from "../../base/errors.ts";

/*
 * Pages that are asked for early wait in memory for their turn. All that wait or are under way in a
 * worker share one budget of bytes, so an API with huge pages cannot exhaust the worker: a page
 * without room is asked for again when its turn comes, when it is the only one.
 */

/**
 * The part of a worker's memory. Text takes up to 20 times its size once it is parsed, and the page
 * that is being read may fill most of the rest: 512 MB leave room for 8 MiB of text.
 */
const SHARE = 1 / 64;

export class EarlyBytes {
  #free: number;

  constructor(memoryMb: number) {
    this.#free = memoryMb * 2 ** 20 * SHARE;
  }

  get free(): number {
    return this.#free;
  }

  /** Opens the account of one page. */
  openPage(): EarlyPageBytes {
    return new EarlyPageBytes((bytes) => {
      if (bytes > this.#free) return false;
      this.#free -= bytes;
      return true;
    });
  }
}

/** The bytes that one early page holds. */
export class EarlyPageBytes {
  /** Takes bytes from the budget, or gives them back where they are less than 0. */
  readonly #take: (bytes: number) => boolean;
  #held = 0;
  #isClosed = false;

  constructor(take: (bytes: number) => boolean) {
    this.#take = take;
  }

  /** The page has so many bytes now. Throws an EarlyPageError where the budget has no room for them. */
  readonly hold = (bytes: number): void => {
    if (this.#isClosed || !this.#take(bytes - this.#held)) throw noRoomError();
    this.#held = bytes;
  };

  /** The page has been read, or is not needed. */
  close(): void {
    this.#take(-this.#held);
    this.#held = 0;
    this.#isClosed = true;
  }
}

const CODE = "extract.early";

/** No person reads this error: the page is asked for again. */
const noRoomError = () =>
  new RequestError({
    code: CODE,
    message: "a page that was asked for early has no room in memory",
    hint: "nothing to do: it is asked for again when its turn comes",
    retryable: false,
  });

export const isWithoutRoom = (error: unknown): boolean =>
  error instanceof RequestError && error.code === CODE;
