import * as z from "zod";
import { ConfigError } from "../../base/errors.ts";
import { Secret } from "../../secrets/reference.ts";
import { longestGap } from "../cadence.ts";
import { parsePath } from "../jsonpath.ts";

/*
 * The words that schema.ts is written in. zod finds what is wrong, the sentences are ours: every
 * `error` goes on after the key's name ("limit" has to be …) and never holds a received value.
 */

/** Every key of T and no other, so that types.ts and this file can not drift apart. */
export type Shape<T> = { [K in keyof T]-?: z.ZodType };

/** A closed object. Its error for unknown keys lists the known ones, for the hint. */
export const dict = <T>(shape: Shape<T>) =>
  z.strictObject(shape as Record<string, z.ZodType>, {
    error: ({ code }) =>
      code === "unrecognized_keys" ? Object.keys(shape).join(" ") : "has to be an object",
  });

/** One of several closed objects, told apart by `key`. Its error lists the values of that key. */
export const dictBy = (
  key: string,
  shapes: [value: string, shape: Record<string, z.ZodType>][],
) => {
  const [first, ...more] = shapes.map(([value, shape]) =>
    dict({ [key]: z.literal(value), ...shape }),
  );
  return z.discriminatedUnion(key, [first as z.ZodObject, ...more], {
    error: ({ code }) =>
      code === "invalid_union" ? shapes.map(([value]) => value).join(" ") : "has to be an object",
  });
};

/** The closed object of T without the key that tells it from others. */
export const shape = <T, Key extends string>(fields: Shape<Omit<T, Key>>) => fields;

export const optional = (schema: z.ZodType) => schema.nullish();

export const list = (of: z.ZodType) => z.array(of, { error: "has to be a list" });

export const byName = (of: z.ZodType) => z.record(z.string(), of, { error: "has to be an object" });

export const either = (words: string, ...schemas: [z.ZodType, z.ZodType, ...z.ZodType[]]) =>
  z.union(schemas, { error: `has to be ${words}` });

export const oneOf = (...values: string[]) => z.enum(values, { error: values.join(" ") });

export const when = (words: string, test: (value: unknown) => boolean) =>
  z.custom(test, { error: words });

export const anything = z.unknown().optional();

export const anyText = z.string({ error: "has to be a text" });

export const text = anyText.min(1, { error: "has to be a text that is not empty" });

export const flag = z.boolean({ error: "has to be true or false" });

export const number = z.number({ error: "has to be a number" });

export const count = number.int({ error: "has to be a whole number" });

export const fromZero = count.min(0, { error: "can not be below 0" });

export const fromOne = count.min(1, { error: "has to be at least 1" });

export const call = when("has to be a function", (value) => typeof value === "function");

export const secret = when("has to be a secret", (value) => value instanceof Secret);

export const scalar = either("a text, a number, true or false", anyText, number, flag);

export const texts = either("a text or a list of texts", text, list(text));

export const matching = (pattern: RegExp, words: string) => text.regex(pattern, { error: words });

/** It is a part of a table's name and of a function's, which AWS limits to 255 and 64. */
export const name = matching(/^[a-z0-9_]+$/, "can have the letters a-z, digits and _ only").max(
  64,
  { error: "can have 64 characters at most" },
);

/** A text that a parser takes: what it throws says what is wrong with the text. */
const parsed = (parse: (value: string) => unknown) =>
  text.check((context) => {
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

export const jsonPath = parsed(parsePath);

export const cadence = parsed(longestGap);

export const isUrl = (value: unknown): value is string => {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.password;
};

export const url = when("has to be an http or https URL without a user name or password", isUrl);

export const baseUrl = when(
  "has to be an http or https URL without a user name, password, query or fragment",
  (value) => isUrl(value) && !/[?#]/.test(value),
);

export const path = when(
  "has to be a path, or an http or https URL without a user name or password",
  (value) => typeof value === "string" && (isUrl(value) || !/^[a-z]+:\/\//i.test(value)),
);
