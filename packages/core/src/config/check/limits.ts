import type { Problem } from "../../base/errors.ts";
import { MAX_RESOURCES, type Source } from "../source.ts";
import { formatPath, membersOf } from "../walk.ts";

/*
 * The limits are far above what anybody writes, and low enough for the checks after this one, some
 * of which walk a config by recursion.
 */

const MAX_STRING_LENGTH = 100_000;

const MAX_KEY_LENGTH = 1000;

const MAX_MEMBERS = 10_000;

const MAX_VALUES = 100_000;

const MAX_DEPTH = 100;

interface PendingValue {
  value: unknown;
  keys: readonly (string | number)[];
}

/** Reports only the first value that is too large, because other checks might not end on it. */
export function sizeProblems({ config, options }: Source): Problem[] {
  // A list that grows while it is walked replaces recursion, because a config may contain itself.
  const pendingValues: PendingValue[] = [
    { value: config, keys: [] },
    { value: options, keys: ["options"] },
  ];
  for (const { value, keys } of pendingValues) {
    const members = membersOf(value);
    const message = sizeMessage(value, keys, members.length);
    if (message) return [{ path: shortPath(keys), message }];
    if (pendingValues.length + members.length > MAX_VALUES) {
      return [{ path: "", message: `a config can have ${MAX_VALUES} values at most` }];
    }
    pendingValues.push(
      ...members.map(([key, member]) => ({ value: member, keys: [...keys, key] })),
    );
  }
  return [];
}

const shortPath = (keys: PendingValue["keys"]): string =>
  formatPath(keys.slice(0, 10)).slice(0, 200);

function sizeMessage(
  value: unknown,
  keys: PendingValue["keys"],
  memberCount: number,
): string | undefined {
  if (keys.length > MAX_DEPTH) return `a config can be nested ${MAX_DEPTH} levels deep at most`;
  if (typeof value === "string" && value.length > MAX_STRING_LENGTH) {
    return `a string can have ${MAX_STRING_LENGTH} characters at most`;
  }
  const [lastKey] = keys.slice(-1);
  if (typeof lastKey === "string" && lastKey.length > MAX_KEY_LENGTH) {
    return `a key can have ${MAX_KEY_LENGTH} characters at most`;
  }
  if (keys.length === 1 && lastKey === "resources" && memberCount > MAX_RESOURCES) {
    return `a source can have ${MAX_RESOURCES} resources at most`;
  }
  if (memberCount > MAX_MEMBERS)
    return `a list or an object can have ${MAX_MEMBERS} members at most`;
  return undefined;
}
