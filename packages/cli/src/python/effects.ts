import { spellingHint } from "@tidetable/core/internal/config";
import type { Problem } from "@tidetable/core/plan";
import type { DictLiteral, ListLiteral, Literal } from "../sources/literal.ts";
import { dictOf, listOf, memberOf, mergeDicts, setKey } from "./containers.ts";
import { problemAt } from "./excerpt.ts";
import type { Effect } from "./source-changes.ts";
import { evaluateLiteral } from "./to-literal.ts";
import { type Node, positionText } from "./tree.ts";
import type { Outcome } from "./uses.ts";
import { type Context, isNull, stringIn } from "./values.ts";

/*
 * What the file does with its source, written into the config: `apply_hints` sets keys of a
 * resource, `with_resources` deselects the others, `add_map` adds a step.
 */

export interface Applied {
  config: DictLiteral;
  /** What has a meaning in dlt, and none here. */
  problems: Problem[];
  remarks: Problem[];
}

/** Applies what the one way of running the source does. Several ways are a problem. */
export function applyOutcomes(
  context: Context,
  config: DictLiteral,
  outcomes: readonly Outcome[],
): Applied {
  const { file } = context;
  const results = outcomes.map(({ effects }) => applyEffects(context, config, effects));
  const [first, ...others] = results;
  if (!first) return { config, problems: [], remarks: [] };
  const meaning = JSON.stringify(first.config);
  const differing = others.findIndex((other) => JSON.stringify(other.config) !== meaning);
  const problems = uniqueProblems(results.flatMap((result) => result.problems));
  const remarks = uniqueProblems(results.flatMap((result) => result.remarks));
  const place = outcomes[differing + 1]?.place;
  if (differing !== -1 && place && problems.length === 0) {
    const lines = outcomes.map(({ place: { from } }) => positionText(file.arg, file.text, from));
    const hint = "keep one of them";
    problems.push(
      problemAt(file, place, `the source is run in different ways (${lines.join(", ")})`, hint),
    );
  }
  return { config: first.config, problems, remarks };
}

const uniqueProblems = (problems: readonly Problem[]): Problem[] => [
  ...new Map(problems.map((problem) => [`${problem.path} ${problem.message}`, problem])).values(),
];

function applyEffects(context: Context, config: DictLiteral, effects: readonly Effect[]): Applied {
  const { file } = context;
  const applied: Applied = { config, problems: [], remarks: [] };
  const refuse = (place: Node, message: string, hint?: string) => {
    applied.problems.push(problemAt(file, place, message, hint));
  };
  for (const effect of new Set(effects)) {
    if (effect.kind === "refused") refuse(effect.place, effect.message, effect.hint);
    else if (effect.kind === "remark") {
      const path = positionText(file.arg, file.text, effect.place.from);
      applied.remarks.push({ path, message: effect.message });
    } else {
      const changer = new ConfigChange(context, applied.config, refuse);
      applied.config = changer.apply(effect);
    }
  }
  return applied;
}

type Refuse = (place: Node, message: string, hint?: string) => void;
type Change = (resource: DictLiteral, name: string) => DictLiteral;

class ConfigChange {
  readonly #context: Context;
  readonly #config: DictLiteral;
  readonly #refuse: Refuse;

  constructor(context: Context, config: DictLiteral, refuse: Refuse) {
    this.#context = context;
    this.#config = config;
    this.#refuse = refuse;
  }

  apply(effect: Extract<Effect, { kind: "select" | "hints" | "step" }>): DictLiteral {
    switch (effect.kind) {
      case "select":
        return this.#select(effect);
      case "hints":
        return this.#setHints(effect);
      case "step":
        return this.#addStep(effect);
    }
  }

  /** Changes the resource of this name, or every resource. */
  #changeResources(name: string | undefined, place: Node, change: Change): DictLiteral {
    const list = memberOf(this.#config, "resources");
    if (list?.kind !== "list") return this.#config;
    const names = list.items.map(({ value }) => resourceName(value));
    if (name !== undefined && !names.includes(name)) {
      const known = names.filter((candidate) => candidate !== undefined);
      this.#refuse(place, `there is no resource "${name}"`, spellingHint(name, known));
      return this.#config;
    }
    const items = list.items.map((item, i) => {
      const itemName = names[i];
      const isMeant = itemName !== undefined && (name === undefined || itemName === name);
      return isMeant ? { ...item, value: change(resourceDict(item.value), itemName) } : item;
    });
    return setKey(this.#config, "resources", { ...list, items });
  }

  #select({ names, args, place }: Extract<Effect, { kind: "select" }>): DictLiteral {
    const selected: string[] = [...names];
    for (const { value, stars } of args) {
      const literal = evaluateLiteral(this.#context, value);
      const list: Literal[] =
        stars === "*" && literal.kind === "list"
          ? literal.items.map((item) => item.value)
          : [literal];
      for (const element of list) {
        const name = stringIn(element);
        if (name === undefined) {
          this.#refuse(value, "a resource's name that cannot be read", "write the name itself");
          return this.#config;
        }
        selected.push(name);
      }
    }
    // An unknown name is reported.
    for (const name of selected) this.#changeResources(name, place, (resource) => resource);
    return this.#changeResources(undefined, place, (resource, name) => {
      const isSelected = selected.includes(name);
      const wasSet = this.#inherited(resource, "selected") !== undefined;
      if (isSelected && !wasSet) return resource;
      return setKey(resource, "selected", { kind: "scalar", value: isSelected });
    });
  }

  /** A key of a resource, or of the defaults. */
  #inherited(resource: DictLiteral, key: string): Literal | undefined {
    const defaults = memberOf(this.#config, "resource_defaults");
    const inherited = defaults?.kind === "dict" ? memberOf(defaults, key) : undefined;
    return memberOf(resource, key) ?? inherited;
  }

  #setHints({ resource, args, place }: Extract<Effect, { kind: "hints" }>): DictLiteral {
    const hints: [string, Literal][] = [];
    for (const { keyword, value } of args) {
      if (keyword === undefined || !settableHints.test(keyword)) {
        this.#refuse(
          value,
          `${keyword ?? "this argument"} cannot be read`,
          "write it into the dict",
        );
        continue;
      }
      const literal = evaluateLiteral(this.#context, value);
      // As in dlt, None leaves a hint as it is.
      if (isNull(literal)) continue;
      if (literal.kind === "expression") {
        this.#refuse(value, `${keyword} cannot be read`, literal.problem().hint);
        continue;
      }
      if (keyword === "table_name" && resource === undefined) {
        this.#refuse(value, "one table for all resources cannot be read", "leave table_name out");
        continue;
      }
      hints.push([keyword, literal]);
    }
    if (hints.length === 0) return this.#config;
    return this.#changeResources(resource, place, (dict) =>
      hints.reduce((changed, [key, value]) => this.#setHint(changed, key, value), dict),
    );
  }

  #setHint(resource: DictLiteral, key: string, value: Literal): DictLiteral {
    if (key === "incremental") {
      const endpoint = memberOf(resource, "endpoint");
      const path = stringIn(endpoint);
      const base =
        endpoint?.kind === "dict"
          ? endpoint
          : dictOf(
              path === undefined
                ? []
                : [{ key: "path", value: { kind: "scalar", value: path }, commentsAbove: [] }],
            );
      const block =
        value.kind === "dict"
          ? { ...value, entries: value.entries.filter((entry) => entry.key !== "type") }
          : value;
      return setKey(resource, "endpoint", setKey(base, "incremental", block));
    }
    const before = memberOf(resource, key);
    const isMerged = key === "columns" && before?.kind === "dict" && value.kind === "dict";
    return setKey(resource, key, isMerged ? mergeDicts([before, value]) : value);
  }

  #addStep({ resource, step, code, place }: Extract<Effect, { kind: "step" }>): DictLiteral {
    const stepDict = dictOf([
      { key: step, value: evaluateLiteral(this.#context, code), commentsAbove: [] },
    ]);
    return this.#changeResources(resource, place, (dict) => {
      const before = this.#inherited(dict, "processing_steps");
      const steps: ListLiteral = before?.kind === "list" ? before : listOf([]);
      const items = [...steps.items, { value: stepDict, commentsAbove: [] }];
      return setKey(dict, "processing_steps", { ...steps, items });
    });
  }
}

const settableHints =
  /^(table_name|write_disposition|columns|primary_key|merge_key|incremental|schema_contract|selected)$/;

function resourceName(resource: Literal): string | undefined {
  return resource.kind === "dict" ? stringIn(memberOf(resource, "name")) : stringIn(resource);
}

const resourceDict = (resource: Literal): DictLiteral =>
  resource.kind === "dict"
    ? resource
    : dictOf([{ key: "name", value: resource, commentsAbove: [] }]);
