import type { Problem } from "../../base/errors.ts";
import { Secret, splitSecretText } from "../../secrets/reference.ts";
import type { SettledClient, SettledResource } from "../settle.ts";
import { placeholderNames } from "../templates.ts";
import { valueAt, walkConfig } from "../walk.ts";
import type { Locate } from "./locate.ts";

const secretKeys =
  /^(auth\.|client\.headers\.|resource\.endpoint\.((headers|json)\.|params(\.\*)+$|data$|data\.))/;

/** Refuses secrets in places that never become part of a request, or that messages show. */
export function secretProblems(expanded: unknown): Problem[] {
  return [...walkConfig(expanded)].flatMap(({ path, pattern, value }) => {
    if (typeof value === "string" && value.includes("[secret]")) {
      return [
        {
          path,
          message: "a secret was written into this string by JSON.stringify, which hides its name",
          hint: `give the object itself as "json", or use a template literal`,
        },
      ];
    }
    if (!hasSecret(value) || secretKeys.test(pattern)) return [];
    return [
      {
        path,
        message: "a secret cannot stand here",
        hint: "it can in auth, and in values of headers, params, json and data",
      },
    ];
  });
}

/** Refuses secrets in a path, and credentials that a path would send to an unknown origin. */
export function pathSecretProblems(
  { base_url, allowed_origins }: SettledClient,
  { endpoint }: SettledResource,
  locate: Locate,
): Problem[] {
  const { path, params, auth, headers, json, data } = endpoint;
  if (typeof path !== "string") return [];
  const problems: Problem[] = placeholderNames(path)
    .filter((name) => hasSecret(valueAt(params, [name])))
    .map((name) => ({
      path: locate("endpoint", "params", name),
      message: `a secret cannot stand in the path, and the path names {${name}}`,
      hint: "paths are shown in messages; does the API take it as a header or a parameter?",
    }));

  const origin = originOf(path);
  const trustedOrigins = [base_url, ...(allowed_origins ?? [])].map(originOf);
  if (origin === undefined || trustedOrigins.includes(origin)) return problems;
  const requestValues = [...walkConfig({ params, headers, json, data })];
  if (!auth && !requestValues.some(({ value }) => hasSecret(value))) return problems;
  return [
    ...problems,
    {
      path: locate("endpoint", "path"),
      message: "this is another origin than base_url's, and credentials do not go there",
      hint: `add "${origin}" to client.allowed_origins, or take its auth away with "auth": null`,
    },
  ];
}

const hasSecret = (value: unknown): boolean =>
  value instanceof Secret ||
  (typeof value === "string" && splitSecretText(value).some((part) => typeof part === "object"));

const originOf = (url: unknown): string | undefined =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).origin : undefined;
