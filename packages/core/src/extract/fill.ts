import { RequestError } from "../base/errors.ts";
import type { CursorValue } from "../config/endpoint-types.ts";
import type { IncrementalPlan, ParamPlan, RequestPlan, Text } from "../config/plan-types.ts";
import { type Reference, Template } from "../config/templates.ts";
import type { Cursor } from "../flow.ts";
import { Decimal } from "../values/decimal.ts";
import type { JsonValue } from "../values/json.ts";
import { type ParamValue, sealed } from "./auth/sealed.ts";

/** A request without templates: what `build.ts` makes a page's request from. */
export interface FilledRequest {
  method: RequestPlan["method"];
  url: string;
  params: Record<string, ParamValue>;
  headers: [string, string][];
  json: unknown;
  data: string | [string, string][] | undefined;
}

/** What a reference stands for. Undefined: there is nothing to say. */
export type Values = (reference: Reference) => JsonValue | undefined;

/**
 * The request with its values. What has none leaves its parameter or header out: `since=None` would
 * ask for something else. In a path, a form or a text there is no leaving out, so there it is an error.
 */
export function fill(plan: RequestPlan, given: Values): FilledRequest {
  const { method, url, params, headers, json, data } = plan;
  const values: Values = (reference) =>
    given(reference) ?? (reference.of === "secret" ? sealed(reference.name) : undefined);
  return {
    method,
    url: required(url, values, (value) => pathText(textOf(value))),
    params: fillParams(params, values),
    headers: headers.flatMap(([name, value]) => {
      const filled = optional(value, values);
      return filled === undefined ? [] : [[required(name, values), filled]];
    }),
    json: fillJson(json, values),
    data: Array.isArray(data)
      ? data.flatMap(([name, value]) => {
          const filled = optional(value, values);
          return filled === undefined ? [] : [[name, filled]];
        })
      : data === undefined
        ? undefined
        : required(data, values),
  };
}

function fillParams(params: Record<string, ParamPlan>, values: Values): Record<string, ParamValue> {
  const filled: Record<string, ParamValue> = {};
  for (const [name, value] of Object.entries(params)) {
    const all = [value].flat().flatMap((one) => {
      const text = typeof one === "object" ? optional(one, values) : one;
      return text === undefined ? [] : [text];
    });
    if (Array.isArray(value)) filled[name] = all;
    else if (all[0] !== undefined) filled[name] = all[0];
  }
  return filled;
}

/** A text that is one reference becomes its value, type and all. */
function fillJson(value: unknown, values: Values): unknown {
  if (value instanceof Template) {
    return value.whole ? (values(value.whole) ?? null) : required(value, values);
  }
  if (Array.isArray(value)) return value.map((one) => fillJson(one, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, fillJson(one, values)]),
  );
}

function optional(text: Text, values: Values): string | undefined {
  if (typeof text === "string") return text;
  const parts = text.parts.map((part) => (typeof part === "string" ? part : values(part)));
  return parts.some((part) => part == null) ? undefined : parts.map(textOf).join("");
}

function required(text: Text, values: Values, encode = textOf): string {
  if (typeof text === "string") return text;
  return text.parts
    .map((part) => {
      if (typeof part === "string") return part;
      const value = values(part);
      if (value == null) throw nothingFor(part);
      return encode(value);
    })
    .join("");
}

function textOf(value: JsonValue | undefined): string {
  const isScalar = typeof value !== "object" || value instanceof Decimal;
  if (isScalar) return String(value);
  throw new RequestError({
    code: "extract.parent_value",
    message: `a value to fill in is ${Array.isArray(value) ? "a list" : "an object"}`,
    hint: "name a field with a text or a number",
    retryable: false,
  });
}

/** As a segment of a path: a slash in it is none of the path's. What may stand there stays. */
function pathText(text: string): string {
  if (text === "." || text === ".." || /\p{Surrogate}/u.test(text)) throw noSegment();
  return encodeURIComponent(text).replace(/%(?:3A|40|24|26|2B|2C|3B|3D)/g, decodeURIComponent);
}

/** A URL resolves dots, however they are written, and then it is of something else. */
const noSegment = () =>
  new RequestError({
    code: "extract.parent_value",
    message: "a value to fill into the path is . or .. or no Unicode text",
    hint: "name a field that identifies the record",
    retryable: false,
  });

function nothingFor(reference: Reference): RequestError {
  const name =
    reference.of === "parent"
      ? `resources.${reference.resource}.${reference.field.text}`
      : `incremental.${reference.name}`;
  return new RequestError({
    code: "extract.template",
    message: `there is no value for {${name}}`,
    hint:
      reference.of === "parent"
        ? "every record of the parent needs this field"
        : `give the incremental an "initial_value"`,
    retryable: false,
  });
}

/** The values of a run's incremental, as they are sent. */
export function incrementalValues(
  plan: IncrementalPlan | undefined,
  { start, last, end }: { start: Cursor; last: Cursor; end?: Cursor | undefined },
): Values {
  if (!plan) return () => undefined;
  const sent = (value: Cursor | undefined) =>
    value == null || !plan.convert ? value : converted(value, plan.convert);
  const all = {
    start_value: sent(start),
    initial_value: sent(plan.initialValue),
    last_value: sent(last ?? plan.initialValue),
    end_value: sent(end ?? plan.endValue),
    lag: plan.lag,
  };
  return (reference) => (reference.of === "incremental" ? all[reference.name] : undefined);
}

function converted(
  value: CursorValue,
  convert: NonNullable<IncrementalPlan["convert"]>,
): CursorValue {
  let made: CursorValue;
  try {
    made = convert(value);
  } catch (error) {
    throw unconverted(`threw ${error instanceof Error ? error.name : typeof error}`);
  }
  // The number that is none: `since=NaN` would ask for something else.
  if (Number.isNaN(made)) throw unconverted("made no number");
  return made;
}

const unconverted = (what: string) =>
  new RequestError({
    code: "extract.convert",
    message: `convert ${what} for the value that a run starts or ends at`,
    hint: "convert has to know every value that is at cursor_path; tidetable state shows the cursor",
    retryable: false,
  });
