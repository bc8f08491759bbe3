import type * as z from "zod";
import type { Problem } from "../../base/errors.ts";
import { settle } from "../settle.ts";
import type { Source } from "../source.ts";
import { spell, textOf } from "../spell.ts";
import { nearest, suggest } from "../suggest.ts";
import { formatPath, valueAt } from "../walk.ts";
import { contradictions } from "./contradictions.ts";
import { tooLarge } from "./limits.ts";
import { sourceConfig, sourceName, sourceOptions } from "./schema.ts";
import { unsupported } from "./unsupported.ts";

/**
 * Everything that is wrong with a source, before any request: each problem with its place, the
 * wrong word and what to write instead. Received values are never repeated, for one may be a
 * credential in the wrong place.
 *
 * Imported through `@tidetable/core/validate` only, so that no worker carries zod.
 */
export function validate(source: Source, name: string): Problem[] {
  const large = tooLarge(source);
  if (large.length > 0) return large;
  const spelling = spell(source.config);
  const settled = settle(source);
  const asWritten = (path: string) => spelling.written.get(path) ?? path;

  const shape = [
    ...shapeProblems(sourceName, name, () => "name"),
    ...shapeProblems(sourceConfig, spelling.config, (keys) => asWritten(formatPath(keys))),
    ...shapeProblems(sourceOptions, source.options, (keys) => formatPath(["options", ...keys])),
  ];
  const meaning = [
    ...spelling.problems,
    ...contradictions(source, spelling.config, settled),
    ...unsupported(spelling.config),
  ].map((problem) => ({ ...problem, path: asWritten(problem.path) }));

  const isNamedAlready = ({ path }: Problem) =>
    shape.some((other) => path.startsWith(`${other.path}.`) || path === other.meant);
  return unique([...shape, ...meaning].filter((problem) => !isNamedAlready(problem)));
}

/** `meant`: the key that a typo leaves missing. */
type ShapeProblem = Problem & { meant?: string | undefined };

type Keys = readonly PropertyKey[];

type Locate = (keys: Keys) => string;

function shapeProblems(schema: z.ZodType, value: unknown, locate: Locate): ShapeProblem[] {
  const issues = schema.safeParse(value).error?.issues ?? [];
  return issues.flatMap((issue) => describe(issue, issue.path, value, locate));
}

function describe(
  issue: z.core.$ZodIssue,
  keys: Keys,
  root: unknown,
  locate: Locate,
): ShapeProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) =>
      unknownKey(key, words(issue), (last) => locate([...keys, last])),
    );
  }
  const value = valueAt(root, keys);
  const branch = issue.code === "invalid_union" ? branchMeant(issue, value) : undefined;
  if (branch) {
    return branch.flatMap((inner) => describe(inner, [...keys, ...inner.path], root, locate));
  }
  const path = locate(keys);
  const sentence = isChoice(issue) ? `has to be one of: ${words(issue).join(", ")}` : ending(issue);
  if (value == null) {
    return [{ path, message: `${label(path)} is missing`, hint: `it ${sentence}` }];
  }
  const meant = isChoice(issue) ? nearest(textOf(value), words(issue)) : undefined;
  const hint = meant === undefined ? hintOf(issue) : `did you mean ${meant}?`;
  return [{ path, message: `${label(path)} ${sentence}`, hint }];
}

function unknownKey(key: string, known: string[], locate: (key: string) => string): ShapeProblem {
  const meant = nearest(key, known);
  return {
    path: locate(key),
    message: `unknown key "${key}"`,
    hint: suggest(key, known),
    meant: meant === undefined ? undefined : locate(meant),
  };
}

// In schema.ts the message of an issue is the end of a sentence, or a list of the words allowed.
const words = ({ message }: z.core.$ZodIssue) => message.split(" ");

const ending = (issue: z.core.$ZodIssue) =>
  issue.code === "invalid_key" ? String(issue.issues[0]?.message) : issue.message;

const hintOf = (issue: z.core.$ZodIssue) =>
  issue.code === "custom" ? (issue.params?.hint as string | undefined) : undefined;

const isChoice = (issue: z.core.$ZodIssue) =>
  issue.code === "invalid_value" || (issue.code === "invalid_union" && issue.errors.length === 0);

/** The branch of a union that the user meant: what is wrong with it is not the kind of value. */
const branchMeant = ({ errors }: z.core.$ZodIssueInvalidUnion, value: unknown) =>
  errors.find((branch) => branch.every((issue) => isRightKind(issue, value)));

const isRightKind = (issue: z.core.$ZodIssue, value: unknown): boolean =>
  issue.path.length > 0 ||
  ["unrecognized_keys", "invalid_format", "too_small"].includes(issue.code) ||
  hintOf(issue) !== undefined ||
  (isChoice(issue) && nearest(textOf(value), words(issue)) !== undefined);

/** The last part of a path, with its index: `"resources[1]"`. */
const label = (path: string) =>
  path === "" ? "the config" : `"${path.match(parts)?.at(-1) ?? path}"`;

const parts = /[\w$-]*(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])+|[\w$-]+/g;

const unique = (problems: ShapeProblem[]): Problem[] => [
  ...new Map(
    problems.map(({ path, message, hint }) => [`${path}: ${message}`, { path, message, hint }]),
  ).values(),
];
