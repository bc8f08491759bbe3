import { RequestError } from "../base/errors.ts";
import type { CursorValue } from "../config/endpoint-types.ts";
import type {
  IncrementalPlan,
  ParamPlan,
  RequestPlan,
  TemplateText,
} from "../config/plan-types.ts";
import { Template, type TemplateReference } from "../config/templates.ts";
import type { Cursor } from "../flow.ts";
import type { JsonValue } from "../values/json.ts";
import { type ParamValue, sealSecret } from "./auth/sealed.ts";
import {
  bodyEncoder,
  type EncodeValue,
  encodeForGraphql,
  encodeForUrl,
  encodePlainly,
  isGraphql,
} from "./encode-value.ts";

/** A request without templates. `build-request.ts` makes the request of each page from it. */
export interface FilledRequest {
  method: RequestPlan["method"];
  url: string;
  params: Record<string, ParamValue>;
  headers: [string, string][];
  json: unknown;
  data: string | [string, string][] | undefined;
}

/** Looks up the value of a reference; undefined where there is no value. */
export type TemplateValues = (reference: TemplateReference) => JsonValue | undefined;

/**
 * Fills the templates of a request. A parameter or header without a value is left out: `since=None`
 * would ask for other records. A missing value in a path, a form or a longer string is an error.
 */
export function fillRequest(plan: RequestPlan, givenValues: TemplateValues): FilledRequest {
  const { method, url, params, headers, json, data } = plan;
  const values: TemplateValues = (reference) =>
    givenValues(reference) ?? (reference.of === "secret" ? sealSecret(reference.name) : undefined);
  return {
    method,
    url: fillRequired(url, values, encodeForUrl),
    params: fillParams(params, values),
    headers: headers.flatMap(([name, value]) => {
      const filled = fillOptional(value, values);
      return filled === undefined ? [] : [[fillRequired(name, values), filled]];
    }),
    json: fillJson(json, values),
    data: fillData(data, values, contentTypeOf(headers)),
  };
}

function fillParams(
  params: Record<string, ParamPlan>,
  values: TemplateValues,
): Record<string, ParamValue> {
  const filled: Record<string, ParamValue> = {};
  for (const [name, value] of Object.entries(params)) {
    const scalars = [value].flat().flatMap((part) => {
      const scalar = typeof part === "object" ? fillOptional(part, values) : part;
      return scalar === undefined ? [] : [scalar];
    });
    if (Array.isArray(value)) filled[name] = scalars;
    else if (scalars[0] !== undefined) filled[name] = scalars[0];
  }
  return filled;
}

/** The content type of the config, where it has no references. */
function contentTypeOf(headers: RequestPlan["headers"]): string | undefined {
  const header = headers.find(([name]) => String(name).toLowerCase() === "content-type");
  return typeof header?.[1] === "string" ? header[1] : undefined;
}

function fillData(
  data: RequestPlan["data"],
  values: TemplateValues,
  contentType: string | undefined,
): FilledRequest["data"] {
  if (data === undefined) return undefined;
  if (!Array.isArray(data)) {
    return fillRequired(data, values, bodyEncoder(contentType, literalText(data)));
  }
  return data.flatMap(([name, value]): [string, string][] => {
    const filled = fillOptional(value, values);
    return filled === undefined ? [] : [[name, filled]];
  });
}

/** The text of a template, without its references. */
const literalText = (text: TemplateText): string =>
  typeof text === "string" ? text : text.parts.filter((part) => typeof part === "string").join("");

/** A string that is a single reference becomes the value itself and keeps the value's type. */
function fillJson(value: unknown, values: TemplateValues): unknown {
  if (value instanceof Template) {
    if (value.whole) return values(value.whole) ?? null;
    return fillRequired(
      value,
      values,
      isGraphql(literalText(value)) ? encodeForGraphql : undefined,
    );
  }
  if (Array.isArray(value)) return value.map((element) => fillJson(element, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, fillJson(member, values)]),
  );
}

function fillOptional(text: TemplateText, values: TemplateValues): string | undefined {
  if (typeof text === "string") return text;
  const parts = text.parts.map((part) => (typeof part === "string" ? part : values(part)));
  return parts.some((part) => part == null)
    ? undefined
    : parts.map((part) => encodePlainly(part ?? null, "")).join("");
}

function fillRequired(
  text: TemplateText,
  values: TemplateValues,
  encode: EncodeValue = encodePlainly,
): string {
  if (typeof text === "string") return text;
  let [filled, before] = ["", ""];
  for (const part of text.parts) {
    if (typeof part === "string") {
      filled += part;
      before += part;
      continue;
    }
    const value = values(part);
    if (value == null) throw missingValueError(part);
    filled += encode(value, before);
  }
  return filled;
}

function missingValueError(reference: TemplateReference): RequestError {
  const isOfParent = reference.of === "parent";
  const name = isOfParent
    ? `resources.${reference.resource}.${reference.field.text}`
    : `incremental.${reference.name}`;
  return new RequestError({
    code: "extract.template",
    message: `there is no value for {${name}}`,
    hint: isOfParent
      ? "every record of the parent needs this field"
      : `give the incremental an "initial_value"`,
    retryable: false,
  });
}

/** The values of a run's incremental, converted as the API wants them. */
export function incrementalValues(
  plan: IncrementalPlan | undefined,
  { start, last, end }: { start: Cursor; last: Cursor; end?: Cursor | undefined },
): TemplateValues {
  if (!plan) return () => undefined;
  const converted = (value: Cursor | undefined) =>
    value == null || !plan.convert ? value : convertCursor(value, plan.convert);
  const values = {
    start_value: converted(start),
    initial_value: converted(plan.initialValue),
    last_value: converted(last ?? plan.initialValue),
    end_value: converted(end ?? plan.endValue),
    lag: plan.lag,
  };
  return (reference) => {
    if (reference.of !== "incremental") return undefined;
    const isWindowEnd = reference.name === "end_value" && plan.step !== undefined;
    if (isWindowEnd && start !== end && values.start_value === values.end_value) {
      throw emptyWindowError(plan);
    }
    return values[reference.name];
  };
}

/** An API that leaves out the end would show nothing of such a window, and its rows would be lost. */
const emptyWindowError = ({ path }: IncrementalPlan) =>
  new RequestError({
    code: "extract.window",
    message: `convert makes the same value of both ends of a window of "${path.text}"`,
    hint: "set a larger step, so that both ends are different values as the API is asked for them",
    retryable: false,
  });

function convertCursor(
  value: CursorValue,
  convert: NonNullable<IncrementalPlan["convert"]>,
): CursorValue {
  let converted: CursorValue;
  try {
    converted = convert(value);
  } catch (error) {
    throw convertError(`threw ${error instanceof Error ? error.name : typeof error}`);
  }
  // NaN must not be sent: `since=NaN` would ask for other records.
  if (Number.isNaN(converted)) throw convertError("made no number");
  return converted;
}

const convertError = (failure: string) =>
  new RequestError({
    code: "extract.convert",
    message: `convert ${failure} for the value that a run starts or ends at`,
    hint: "convert has to know every value that is at cursor_path; tidetable state shows the cursor",
    retryable: false,
  });
