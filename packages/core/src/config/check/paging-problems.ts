import type { Problem } from "../../base/errors.ts";
import type { SettledResource } from "../settle.ts";
import { isDict } from "../spell.ts";
import type { Locate } from "./locate.ts";

/** A value that a request has in one of two places. */
const pairs = ["offset", "limit", "page", "cursor"] as const;

/** What is wrong between the options of a paginator, whose shapes may be wrong as well. */
export function pagingProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  const paginator: unknown = endpoint.paginator;
  if (!isDict(paginator)) return [];
  const at = (key: string) => locate("endpoint", "paginator", key);
  const problems: Problem[] = [];
  for (const name of pairs) {
    const [param, body] = [`${name}_param`, `${name}_body_path`];
    if (paginator[body] == null) continue;
    if (paginator[param] != null) {
      problems.push({
        path: at(body),
        message: `the ${name} can not be sent as "${param}" and in the body at "${body}"`,
        hint: "keep one of them",
      });
    }
    if (endpoint.data !== undefined) {
      problems.push({
        path: at(body),
        message: `"data" is sent as the body, and this needs a JSON one`,
        hint: `use "json" instead of "data"`,
      });
    }
  }
  if (neverEnds(paginator)) {
    problems.push({
      path: locate("endpoint", "paginator"),
      message: "nothing ends these pages",
      hint: `set total_path, ${paginator.type === "offset" ? "maximum_offset" : "maximum_page"} or has_more_path, or leave stop_after_empty_page true`,
    });
  }
  const { overlap, limit } = paginator;
  if (typeof overlap === "number" && typeof limit === "number" && overlap >= limit) {
    problems.push({
      path: at("overlap"),
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
