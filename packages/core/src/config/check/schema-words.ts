import * as z from "zod";
import { ConfigError } from "../../base/errors.ts";
import { Secret } from "../../secrets/reference.ts";
import { longestGap } from "../cadence.ts";
import { parseJsonPath } from "../jsonpath.ts";

/*
 * The vocabulary of schema.ts. zod finds the problems, and the messages are written here: each
 * `error` continues a sentence that begins with the key's name ("limit" has to be …), and none
 * contains a value of the config.
 */

/** Requires a schema for each key of T, so that types.ts and the schema cannot drift apart. */
export type Fields<T> = { [K in keyof T]-?: z.ZodType };

/**
 * An object without unknown keys. The error for an unknown key lists the right keys, for the hint.
 */
export const closedDict = <T>(fields: Fields<T>) =>
  z.strictObject(fields as Record<string, z.ZodType>, {
    error: ({ code }) =>
      code === "unrecognized_keys" ? Object.keys(fields).join(" ") : "has to be an object",
  });

/** A union of closed dicts. `key` tells them apart, and the error lists the values of that key. */
export const closedDictBy = (
  key: string,
  variants: [value: string, fields: Record<string, z.ZodType>][],
) => {
  const [first, ...more] = variants.map(([value, fields]) =>
    closedDict({ [key]: z.literal(value), ...fields }),
  );
  return z.discriminatedUnion(key, [first as z.ZodObject, ...more], {
    error: ({ code }) =>
      code === "invalid_union" ? variants.map(([value]) => value).join(" ") : "has to be an object",
  });
};

/** The fields of T for closedDictBy, which adds the key that tells the variants apart. */
export const fieldsWithout = <T, Key extends string>(fields: Fields<Omit<T, Key>>) => fields;

export const optional = (schema: z.ZodType) => schema.nullish();

export const listOf = (element: z.ZodType) => z.array(element, { error: "has to be a list" });

export const dictOf = (value: z.ZodType) =>
  z.record(z.string(), value, { error: "has to be an object" });

export const unionOf = (words: string, ...schemas: [z.ZodType, z.ZodType, ...z.ZodType[]]) =>
  z.union(schemas, { error: `has to be ${words}` });

export const oneOf = (...values: string[]) => z.enum(values, { error: values.join(" ") });

export const checkedBy = (error: string, test: (value: unknown) => boolean) =>
  z.custom(test, { error });

export const anyValue = z.unknown().optional();

export const anyString = z.string({ error: "has to be a string" });

export const nonEmptyString = anyString.min(1, { error: "has to be a string that is not empty" });

export const trueOrFalse = z.boolean({ error: "has to be true or false" });

export const anyNumber = z.number({ error: "has to be a number" });

export const wholeNumber = anyNumber.int({ error: "has to be a whole number" });

export const atLeastZero = wholeNumber.min(0, { error: "cannot be below 0" });

export const atLeastOne = wholeNumber.min(1, { error: "has to be at least 1" });

export const anyFunction = checkedBy(
  "has to be a function",
  (value) => typeof value === "function",
);

export const anySecret = checkedBy("has to be a secret", (value) => value instanceof Secret);

export const anyScalar = unionOf(
  "a string, a number, true or false",
  anyString,
  anyNumber,
  trueOrFalse,
);

export const stringOrList = unionOf(
  "a string or a list of strings",
  nonEmptyString,
  listOf(nonEmptyString),
);

export const stringMatching = (pattern: RegExp, error: string) =>
  nonEmptyString.regex(pattern, { error });

/**
 * Source and resource names are parts of names in AWS: 255 characters for a table, 64 for a
 * function.
 */
export const identifier = stringMatching(
  /^[a-z0-9_]+$/,
  "can have the letters a-z, digits and _ only",
).max(64, { error: "can have 64 characters at most" });

/** A string that `parse` accepts. The parser's ConfigError becomes the message and the hint. */
const parsedBy = (parse: (value: string) => unknown) =>
  nonEmptyString.check((context) => {
    try {
      parse(context.value);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { message, hint } = error;
      context.issues.push({
        code: "custom",
        message: `is ${message}`,
        params: { hint },
        input: context.value,
      });
    }
  });

export const pathString = parsedBy(parseJsonPath);

export const scheduleExpression = parsedBy(longestGap);

export const isHttpUrl = (value: unknown): value is string => {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.password;
};

export const httpUrl = checkedBy(
  "has to be an http or https URL without a user name or password",
  isHttpUrl,
);

export const baseUrl = checkedBy(
  "has to be an http or https URL without a user name, password, query or fragment",
  (value) => isHttpUrl(value) && !/[?#]/.test(value),
);

export const urlOrPath = checkedBy(
  "has to be a path, or an http or https URL without a user name or password",
  (value) => typeof value === "string" && (isHttpUrl(value) || !/^[a-z]+:\/\//i.test(value)),
);
