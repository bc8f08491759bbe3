import type { Problem } from "../../base/errors.ts";
import { Secret, secretParts } from "../../secrets/reference.ts";
import type { SettledClient, SettledResource } from "../settle.ts";
import { placeholders } from "../templates.ts";
import { valueAt, walk } from "../walk.ts";
import type { Locate } from "./locate.ts";

/*
 * Where a secret may stand, and where it may go.
 */

const places =
  /^(auth\.|client\.headers\.|resource\.endpoint\.((headers|json)\.|params(\.\*)+$|data$|data\.))/;

/** Secrets where nothing puts them into a request, or a message could show them. */
export function secretProblems(spelled: unknown): Problem[] {
  return [...walk(spelled)].flatMap(({ path, pattern, value }) => {
    if (typeof value === "string" && value.includes("[secret]")) {
      return [
        {
          path,
          message: "a secret was written into this text by JSON.stringify, which hides its name",
          hint: `give the object itself as "json", or use a template literal`,
        },
      ];
    }
    if (!holdsSecret(value) || places.test(pattern)) return [];
    return [
      {
        path,
        message: "a secret can not stand here",
        hint: "it can in auth, and in values of headers, params, json and data",
      },
    ];
  });
}

/** What a resource's path has to do with credentials. */
export function pathSecretProblems(
  { base_url, allowed_origins }: SettledClient,
  { endpoint }: SettledResource,
  locate: Locate,
): Problem[] {
  const { path, params, auth, headers, json, data } = endpoint;
  if (typeof path !== "string") return [];
  const problems: Problem[] = placeholders(path)
    .filter((name) => holdsSecret(valueAt(params, [name])))
    .map((name) => ({
      path: locate("endpoint", "params", name),
      message: `a secret can not stand in the path, and the path names {${name}}`,
      hint: "paths are shown in messages; does the API take it as a header or a parameter?",
    }));

  const origin = originOf(path);
  const trusted = [base_url, ...(allowed_origins ?? [])].map(originOf);
  if (origin === undefined || trusted.includes(origin)) return problems;
  const own = [...walk({ params, headers, json, data })];
  if (!auth && !own.some(({ value }) => holdsSecret(value))) return problems;
  return [
    ...problems,
    {
      path: locate("endpoint", "path"),
      message: "this is another origin than base_url's, and credentials do not go there",
      hint: `add "${origin}" to client.allowed_origins, or take its auth away with "auth": null`,
    },
  ];
}

const holdsSecret = (value: unknown): boolean =>
  value instanceof Secret ||
  (typeof value === "string" && secretParts(value).some((part) => typeof part === "object"));

const originOf = (url: unknown): string | undefined =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).origin : undefined;
