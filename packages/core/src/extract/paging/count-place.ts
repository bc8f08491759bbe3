import type { IncomingHttpHeaders } from "node:http";
import { type JsonPath, parseJsonPath } from "../../config/jsonpath.ts";
import type { PaginatorPlan } from "../../config/plan-types.ts";
import { isObject, type JsonValue, type Members } from "../../values/json.ts";
import { findValue, isStorablePath, writePath } from "../select.ts";
import type { CountPlace } from "./page-request.ts";
import { type ReceivedPage, wholeNumberIn } from "./paging.ts";

/*
 * Many answers name how many items the whole list has: in a header, or in a member next to the list.
 * Some name how many pages there are. The place is found in one page and read in the pages after it.
 */

/** Names are compared in lower case, by letters and digits alone. Sure names stand before vague ones. */
const itemNames = [
  ...["totalcount", "totalitems", "totalresults", "totalrecords", "totalrows", "totalentries"],
  ...["totalelements", "totalhits", "totalsize", "totalnumber", "recordstotal", "recordcount"],
  ...["itemcount", "itemscount", "numfound", "nbhits", "odatacount", "total", "count"],
];
const pageNames = [
  "totalpages",
  "pagecount",
  "pagescount",
  "numpages",
  "nbpages",
  "lastpage",
  "pages",
];

const itemHeaders = ["x-total-count", "x-total", "x-wp-total", "total-count", "x-total-items"];
const pageHeaders = ["x-total-pages", "x-wp-totalpages", "x-page-count"];

/** Objects next to the list in which APIs describe it. */
const containerNames = new Set([
  ...["meta", "metadata", "pagination", "paging", "page", "pageinfo", "pager", "paginator"],
]);

/** An object with more members holds records under their ids, and no description of a list. */
const MOST_MEMBERS = 100;

/** The place of a count in the answer with a page after which another follows. */
export function findCountPlace(
  { headers, body, records }: Pick<ReceivedPage, "headers" | "body" | "records">,
  list: JsonPath | undefined,
  plan: PaginatorPlan,
): CountPlace | undefined {
  const configured = "total" in plan ? plan.total?.path.text : undefined;
  const described = body === undefined ? [] : describingObjects(body, list);
  const isTotal = (count: number | undefined): boolean => count !== undefined && count > 0;
  // A number that the page itself reaches may count the page's own records.
  const isMore = (count: number | undefined): boolean => (count ?? 0) > records.length;
  const find = (path: string | undefined) =>
    path === undefined || body === undefined ? undefined : numberAt(body, parseJsonPath(path));

  if (plan.type === "offset" && isMore(find(configured))) {
    return { unit: "items", path: configured as string };
  }
  const itemHeader = itemHeaders.find((name) => isMore(numberIn(headers, name)));
  if (itemHeader) return { unit: "items", header: itemHeader };
  const itemPath = findNamed(described, itemNames, isMore, configured);
  if (itemPath) return { unit: "items", path: itemPath };

  if (plan.type === "page_number" && isTotal(find(configured))) {
    return { unit: "pages", path: configured as string };
  }
  const pageHeader = pageHeaders.find((name) => isTotal(numberIn(headers, name)));
  if (pageHeader) return { unit: "pages", header: pageHeader };
  const pagePath = findNamed(described, pageNames, isTotal);
  return pagePath ? { unit: "pages", path: pagePath } : undefined;
}

/** The count in an answer; undefined where it names none. */
export function readCount(
  { headers, body }: Pick<ReceivedPage, "headers" | "body">,
  place: CountPlace,
): number | undefined {
  if ("header" in place) return numberIn(headers, place.header);
  return body === undefined ? undefined : numberAt(body, parseJsonPath(place.path));
}

/** An object of the answer, with the path to it. */
interface Described {
  path: string[];
  members: Members;
}

/** The objects around the list, the nearest first, each with the containers within it. */
function describingObjects(body: JsonValue, list: JsonPath | undefined): Described[] {
  const around: Described[] = [];
  const names = (list?.steps ?? []).slice(0, -1);
  let value: JsonValue | undefined = body;
  for (let depth = 0; isObject(value); depth++) {
    around.unshift({ path: names.slice(0, depth).flatMap(nameOf), members: value });
    const step = names[depth];
    value = step && "name" in step ? value[step.name] : undefined;
  }
  return around.filter(isSmall).flatMap((object) => [object, ...containersIn(object, 2)]);
}

const nameOf = (step: JsonPath["steps"][number]) => ("name" in step ? [step.name] : []);

const isSmall = ({ members }: Described) => Object.keys(members).length <= MOST_MEMBERS;

function containersIn({ path, members }: Described, depth: number): Described[] {
  if (depth === 0) return [];
  return Object.entries(members).flatMap(([name, member]) => {
    if (!containerNames.has(plainName(name)) || !isObject(member)) return [];
    const container = { path: [...path, name], members: member };
    return isSmall(container) ? [container, ...containersIn(container, depth - 1)] : [];
  });
}

/** The path of a number under the surest name. */
function findNamed(
  objects: readonly Described[],
  names: readonly string[],
  isUsable: (count: number | undefined) => boolean,
  except?: string,
): string | undefined {
  const found = objects.flatMap(({ path, members }) =>
    Object.entries(members).flatMap(([name, value]) => {
      const rank = names.indexOf(plainName(name));
      if (rank < 0 || !isUsable(countIn(value as JsonValue))) return [];
      // `total` may be written with any number of other characters in between.
      if (!isStorablePath([...path, name])) return [];
      return [{ rank, path: writePath([...path, name].map((step) => ({ name: step }))) }];
    }),
  );
  const usable = found.filter(({ path }) => path !== except);
  return usable.sort((a, b) => a.rank - b.rank)[0]?.path;
}

const plainName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

const numberAt = (body: JsonValue, path: JsonPath): number | undefined =>
  countIn(findValue(body, path));

const numberIn = (headers: IncomingHttpHeaders, name: string): number | undefined =>
  countIn([headers[name]].flat()[0]);

/** Some APIs write -1 for an unknown number. */
function countIn(value: JsonValue | undefined): number | undefined {
  const count = wholeNumberIn(value);
  return count !== undefined && count >= 0 ? count : undefined;
}
