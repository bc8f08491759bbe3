import type { NamedColumnConfig, Source } from "@tidetable/core";

/*
 * What the type of a source says about its resources: the rules of core's `settle`, once more, for
 * the compiler.
 */

export type At<T, Key> = Key extends keyof T ? T[Key] : undefined;
type None = Record<never, never>;

/** The names of its resources. Any text where the compiler does not know them. */
export type ResourceName<S extends Source> = NameOf<S["config"]["resources"][number]>;
type NameOf<Resource> = Resource extends { name: infer Name extends string }
  ? Name
  : Extract<Resource, string>;

type Own<S extends Source, Name> = Or<Extract<S["config"]["resources"][number], { name: Name }>>;
/** A resource that is only named says nothing. */
type Or<Resource> = [Resource] extends [never] ? None : Resource;
type Defaults<S extends Source> = At<S["config"], "resource_defaults">;
type Extra<S extends Source, Name> = At<At<S["options"], "resources">, Name>;

/** What the resource says, else what resource_defaults say. */
type Said<S extends Source, Name, Key> = Key extends keyof Own<S, Name>
  ? Own<S, Name>[Key]
  : At<Defaults<S>, Key>;

// ── Columns ──────────────────────────────────────────────────────────────────────────────────────

/** By name: the options over the resource over resource_defaults, hint by hint. */
export type Columns<S extends Source, Name> = Over<
  Over<
    // Null takes the defaults back.
    Said<S, Name, "columns"> extends null ? None : ByName<At<Defaults<S>, "columns">>,
    ByName<At<Own<S, Name>, "columns">>
  >,
  ByName<At<Extra<S, Name>, "columns">>
>;

type ByName<C> = C extends readonly NamedColumnConfig[]
  ? { [One in C[number] as One["name"]]: Omit<One, "name"> }
  : C extends object
    ? C
    : None;

type Over<Under, Top> = {
  [Name in keyof Under | keyof Top]: Name extends keyof Top
    ? Name extends keyof Under
      ? Omit<Under[Name], keyof Top[Name]> & Top[Name]
      : Top[Name]
    : At<Under, Name>;
};

// ── The key ──────────────────────────────────────────────────────────────────────────────────────

/** The fields by which its rows are told apart, in the order of the key. */
export type KeyFields<S extends Source, Name> =
  Appends<S, Name, Fields<S, Name>> extends true ? ["_row_id"] : Fields<S, Name>;

type Fields<S extends Source, Name> = [
  ...Listed<Said<S, Name, "primary_key">>,
  ...Rest<Exclude<Flagged<Columns<S, Name>>, Listed<Said<S, Name, "primary_key">>[number]>>,
];

type Listed<T> = T extends string ? [T] : T extends readonly string[] ? T : [];
type Flagged<C> = { [F in keyof C]: C[F] extends { primary_key: true } ? F : never }[keyof C];
/** Of several, the compiler does not know the order. */
type Rest<F, All = F> = [F] extends [never]
  ? []
  : F extends unknown
    ? [All] extends [F]
      ? [F]
      : All[]
    : never;

type Appends<S extends Source, Name, F extends readonly unknown[]> = F extends []
  ? true
  : Said<S, Name, "write_disposition"> extends "append" | { disposition: "append" }
    ? true
    : false;

// ── Indexes ──────────────────────────────────────────────────────────────────────────────────────

/** Its indexes by name. A resource's own `table` goes over the source's, option by option. */
export type Indexes<S extends Source, Name> = "indexes" extends keyof At<Extra<S, Name>, "table">
  ? At<At<Extra<S, Name>, "table">, "indexes">
  : At<At<S["options"], "table">, "indexes">;
