import type { Problem } from "../../base/errors.ts";
import { MOST_RESOURCES, type Source } from "../source.ts";
import { isDict } from "../spell.ts";
import { formatPath } from "../walk.ts";

const LONGEST_TEXT = 100_000;

const LONGEST_KEY = 1000;

const LONGEST_LIST = 10_000;

const MOST_VALUES = 100_000;

const DEEPEST = 100;

type Keys = readonly (string | number)[];

interface Pending {
  value: unknown;
  keys: Keys;
}

/** The first that is too large. Nothing else is looked at then. */
export function tooLarge({ config, options }: Source): Problem[] {
  // The list grows while it is walked: no recursion, for a config may hold itself.
  const pending: Pending[] = [
    { value: config, keys: [] },
    { value: options, keys: ["options"] },
  ];
  for (const one of pending) {
    const inner = members(one);
    const message = excess(one, inner.length);
    if (message) return [{ path: shown(one.keys), message }];
    if (pending.length + inner.length > MOST_VALUES) {
      return [{ path: "", message: `a config can have ${MOST_VALUES} values at most` }];
    }
    pending.push(...inner);
  }
  return [];
}

function members({ value, keys }: Pending): Pending[] {
  if (Array.isArray(value)) return value.map((one, i) => ({ value: one, keys: [...keys, i] }));
  if (!isDict(value)) return [];
  return Object.entries(value).map(([key, one]) => ({ value: one, keys: [...keys, key] }));
}

const shown = (keys: Keys): string => formatPath(keys.slice(0, 10)).slice(0, 200);

/** What is wrong with the size of one value. */
function excess({ value, keys }: Pending, length: number): string | undefined {
  if (keys.length > DEEPEST) return `a config can be nested ${DEEPEST} levels deep at most`;
  if (typeof value === "string" && value.length > LONGEST_TEXT) {
    return `a text can have ${LONGEST_TEXT} characters at most`;
  }
  const [last] = keys.slice(-1);
  if (typeof last === "string" && last.length > LONGEST_KEY) {
    return `a key can have ${LONGEST_KEY} characters at most`;
  }
  if (keys.length === 1 && last === "resources" && length > MOST_RESOURCES) {
    return `a source can have ${MOST_RESOURCES} resources at most`;
  }
  if (length > LONGEST_LIST) return `a list or an object can have ${LONGEST_LIST} members at most`;
  return undefined;
}
