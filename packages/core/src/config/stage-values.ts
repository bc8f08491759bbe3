import { ConfigError, type Problem } from "../base/errors.ts";
import { isDict } from "./dict.ts";
import { rest_api_source, type Source } from "./source.ts";
import { StageValue, type StageValueContent } from "./stage-value.ts";
import { spellingHint } from "./suggest.ts";
import { formatPath } from "./walk.ts";

/** What a stage can set: a string, a number or a boolean, never a credential. */
export type StageValues = Readonly<Record<string, string | number | boolean>>;

/** A reference in a config, and where it stands. */
export interface StageValueUse {
  name: string;
  fallback: StageValueContent | undefined;
  path: string;
}

const referencePattern = /(?<!\{)\{values\.([\w.-]+)(?:=([^{}]*))?\}/g;

/** Every reference to a value in a config, in its order. */
export function findStageValues(config: unknown): StageValueUse[] {
  const uses: StageValueUse[] = [];
  mapReferences(config, [], (use) => {
    uses.push(use);
    return "";
  });
  return uses;
}

/**
 * Puts the values into the places of their references. A missing value is a problem; the config is
 * then left with the reference's name in its place, so that the other checks can go on.
 */
export function fillStageValues(
  source: Source,
  values: StageValues,
  howToSet: (name: string) => string,
): { source: Source; problems: Problem[] } {
  const problems: Problem[] = [];
  const config = mapReferences(source.config, [], ({ name, fallback, path }) => {
    const value = Object.hasOwn(values, name) ? values[name] : fallback;
    if (value === undefined) {
      const near = spellingHint(name, Object.keys(values));
      const hint = Object.keys(values).length > 0 ? `${howToSet(name)}; ${near}` : howToSet(name);
      problems.push({ path, message: `the value "${name}" is not set`, hint });
      return name;
    }
    if (typeof value === "string" && /[{}]/.test(value)) {
      problems.push({ path, message: `the value "${name}" has a brace`, hint: "write it without" });
    }
    return value;
  });
  const isChanged = problems.length > 0 || findStageValues(source.config).length > 0;
  return {
    source: isChanged ? rest_api_source(config as Source["config"], source.options) : source,
    problems,
  };
}

type Replace = (use: StageValueUse) => StageValueContent;

/** No config is this deep: one with a circle is refused later, with its path. */
const MAX_DEPTH = 100;

function mapReferences(value: unknown, keys: (string | number)[], replace: Replace): unknown {
  if (keys.length > MAX_DEPTH) return value;
  if (typeof value === "string") {
    const path = formatPath(keys);
    return value.replace(referencePattern, (_, name: string, fallback: string | undefined) =>
      String(replace({ name, fallback, path }) ?? ""),
    );
  }
  if (value instanceof StageValue) {
    return replace({ name: value.name, fallback: value.fallback, path: formatPath(keys) });
  }
  if (Array.isArray(value)) {
    return value.map((element, index) => mapReferences(element, [...keys, index], replace));
  }
  if (!isDict(value) || !isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      mapReferences(member, [...keys, key], replace),
    ]),
  );
}

/** A Secret and other objects with a class of their own stay as they are. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The values for a source from several places, of which later ones win. A dict under the source's
 * name holds values for it alone.
 */
export function stageValuesFor(places: readonly unknown[], source: string): StageValues {
  const layers = places.filter(isDict).flatMap((layer) => [layer, layer[source]]);
  const entries = layers.filter(isDict).flatMap((layer) => Object.entries(layer));
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string | number | boolean] => isContent(entry[1])),
  );
}

const isContent = (content: unknown) => /^(string|number|boolean)$/.test(typeof content);

/** Puts a stage's values into its sources, in a worker: the deployment has checked that all are there. */
export function fillSources(
  sources: Readonly<Record<string, Source>>,
  values: unknown,
): Readonly<Record<string, Source>> {
  const howToSet = () => "deploy the stage with it";
  const filled = Object.entries(sources).map(([name, source]) => {
    const result = fillStageValues(source, stageValuesFor([values], name), howToSet);
    const [problem] = result.problems;
    if (!problem) return [name, result.source] as const;
    throw new ConfigError({ code: "config.value", problems: result.problems, ...problem });
  });
  return Object.fromEntries(filled);
}
