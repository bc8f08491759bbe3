import type { Problem } from "../../base/errors.ts";
import { isDict } from "../dict.ts";
import type { SettledResource } from "../settle.ts";
import type { Locate } from "./locate.ts";

/** A request has each of these as a parameter or in its body. */
const slotNames = ["offset", "limit", "page", "cursor"] as const;

/** Problems between the options of a paginator. The shape of the options may be wrong as well. */
export function pagingProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  const paginator: unknown = endpoint.paginator;
  if (!isDict(paginator)) return [];
  const pathOf = (key: string) => locate("endpoint", "paginator", key);
  const problems: Problem[] = [];
  for (const name of slotNames) {
    const [paramKey, bodyKey] = [`${name}_param`, `${name}_body_path`];
    if (paginator[bodyKey] == null) continue;
    if (paginator[paramKey] != null) {
      problems.push({
        path: pathOf(bodyKey),
        message: `the ${name} cannot be sent as "${paramKey}" and in the body at "${bodyKey}"`,
        hint: "keep one of them",
      });
    }
    if (endpoint.data !== undefined) {
      problems.push({
        path: pathOf(bodyKey),
        message: `"data" is sent as the body, and this needs a JSON one`,
        hint: `use "json" instead of "data"`,
      });
    }
  }
  if (neverEnds(paginator)) {
    const maximumKey = paginator.type === "offset" ? "maximum_offset" : "maximum_page";
    problems.push({
      path: locate("endpoint", "paginator"),
      message: "nothing ends these pages",
      hint: `set total_path, ${maximumKey} or has_more_path, or leave stop_after_empty_page true`,
    });
  }
  const { overlap, limit } = paginator;
  if (typeof overlap === "number" && typeof limit === "number" && overlap >= limit) {
    problems.push({
      path: pathOf("overlap"),
      message: "the overlap has to be smaller than the limit: no request would bring a new row",
      hint: "5 rows are enough to see that rows have moved",
    });
  }
  return problems;
}

const neverEnds = ({ type, ...paginator }: Record<string, unknown>): boolean =>
  (type === "offset" || type === "page_number") &&
  paginator.stop_after_empty_page === false &&
  paginator.total_path === null &&
  paginator.maximum_offset === undefined &&
  paginator.maximum_page === undefined &&
  paginator.has_more_path === undefined;
