import type * as z from "zod";
import type { Problem } from "../../base/errors.ts";
import { stringOrEmpty } from "../dict.ts";
import { settleSource } from "../settle.ts";
import { expandShorthands } from "../shorthands.ts";
import type { Source } from "../source.ts";
import { nearestWord, spellingHint } from "../suggest.ts";
import { formatPath, valueAt } from "../walk.ts";
import { contradictionProblems } from "./contradictions.ts";
import { sizeProblems } from "./limits.ts";
import { sourceConfig, sourceName, sourceOptions } from "./schema.ts";
import { unsupportedProblems } from "./unsupported.ts";

/**
 * Finds every problem of a source, before any request is made: each with its path, the wrong word
 * and the right one. No message repeats a value of the config, because a credential may stand in
 * the wrong place.
 *
 * Imported through `@tidetable/core/validate` only, so that no worker carries zod.
 */
export function validate(source: Source, name: string): Problem[] {
  const tooLarge = sizeProblems(source);
  if (tooLarge.length > 0) return tooLarge;
  const expanded = expandShorthands(source.config);
  const settled = settleSource(source);
  const writtenPath = (path: string) => expanded.writtenPaths.get(path) ?? path;

  const shapeProblems = [
    ...schemaProblems(sourceName, name, () => "name"),
    ...schemaProblems(sourceConfig, expanded.config, (keys) => writtenPath(formatPath(keys))),
    ...schemaProblems(sourceOptions, source.options, (keys) => formatPath(["options", ...keys])),
  ];
  const meaningProblems = [
    ...expanded.problems,
    ...contradictionProblems(source, expanded.config, settled),
    ...unsupportedProblems(expanded.config),
  ].map((problem) => ({ ...problem, path: writtenPath(problem.path) }));

  const isConsequence = ({ path }: Problem) =>
    shapeProblems.some((cause) => path.startsWith(`${cause.path}.`) || path === cause.meantPath);
  return uniqueProblems(
    [...shapeProblems, ...meaningProblems].filter((problem) => !isConsequence(problem)),
  );
}

/** `meantPath` is the path of the key that a typo leaves missing. */
type ShapeProblem = Problem & { meantPath?: string | undefined };

type Keys = readonly PropertyKey[];

type FormatKeys = (keys: Keys) => string;

function schemaProblems(schema: z.ZodType, value: unknown, toPath: FormatKeys): ShapeProblem[] {
  const issues = schema.safeParse(value).error?.issues ?? [];
  return issues.flatMap((issue) => issueProblems(issue, issue.path, value, toPath));
}

function issueProblems(
  issue: z.core.$ZodIssue,
  keys: Keys,
  root: unknown,
  toPath: FormatKeys,
): ShapeProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) =>
      unknownKeyProblem(key, wordsOf(issue), (lastKey) => toPath([...keys, lastKey])),
    );
  }
  const value = valueAt(root, keys);
  const branch = issue.code === "invalid_union" ? meantBranch(issue, value) : undefined;
  if (branch) {
    return branch.flatMap((inner) => issueProblems(inner, [...keys, ...inner.path], root, toPath));
  }
  const path = toPath(keys);
  const requirement = isChoice(issue)
    ? `has to be one of: ${wordsOf(issue).join(", ")}`
    : messageOf(issue);
  if (value == null) {
    return [{ path, message: `${labelOf(path)} is missing`, hint: `it ${requirement}` }];
  }
  const meant = isChoice(issue) ? nearestWord(stringOrEmpty(value), wordsOf(issue)) : undefined;
  const hint = meant === undefined ? hintOf(issue) : `did you mean ${meant}?`;
  return [{ path, message: `${labelOf(path)} ${requirement}`, hint }];
}

function unknownKeyProblem(
  key: string,
  rightKeys: string[],
  toPath: (key: string) => string,
): ShapeProblem {
  const meantKey = nearestWord(key, rightKeys);
  return {
    path: toPath(key),
    message: `unknown key "${key}"`,
    hint: spellingHint(key, rightKeys),
    meantPath: meantKey === undefined ? undefined : toPath(meantKey),
  };
}

// In schema.ts the message of an issue is the end of a sentence, or a list of the allowed words.
const wordsOf = ({ message }: z.core.$ZodIssue) => message.split(" ");

const messageOf = (issue: z.core.$ZodIssue) =>
  issue.code === "invalid_key" ? String(issue.issues[0]?.message) : issue.message;

const hintOf = (issue: z.core.$ZodIssue) =>
  issue.code === "custom" ? (issue.params?.hint as string | undefined) : undefined;

const isChoice = (issue: z.core.$ZodIssue) =>
  issue.code === "invalid_value" || (issue.code === "invalid_union" && issue.errors.length === 0);

/** The branch of a union that the user meant: its issues are not about the kind of value. */
const meantBranch = ({ errors }: z.core.$ZodIssueInvalidUnion, value: unknown) =>
  errors.find((branch) => branch.every((issue) => isRightKind(issue, value)));

const isRightKind = (issue: z.core.$ZodIssue, value: unknown): boolean =>
  issue.path.length > 0 ||
  ["unrecognized_keys", "invalid_format", "too_small"].includes(issue.code) ||
  hintOf(issue) !== undefined ||
  (isChoice(issue) && nearestWord(stringOrEmpty(value), wordsOf(issue)) !== undefined);

/** The last part of a path, index included: `"resources[1]"`. */
const labelOf = (path: string) =>
  path === "" ? "the config" : `"${path.match(pathParts)?.at(-1) ?? path}"`;

const pathParts = /[\w$-]*(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])+|[\w$-]+/g;

const uniqueProblems = (problems: ShapeProblem[]): Problem[] => [
  ...new Map(
    problems.map(({ path, message, hint }) => [`${path}: ${message}`, { path, message, hint }]),
  ).values(),
];
