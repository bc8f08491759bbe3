import type { NamedColumnConfig, Source } from "@tidetable/core";

/*
 * Derives from the type of a source what its resources are: core's rules for defaults and options,
 * repeated for the compiler.
 */

/** The type of a member, or undefined when the type has no such member. */
export type MemberOf<T, Key> = Key extends keyof T ? T[Key] : undefined;

type None = Record<never, never>;

/** The names of a source's resources, or `string` when the compiler does not know them. */
export type ResourceName<S extends Source> = NameOf<S["config"]["resources"][number]>;
type NameOf<Resource> = Resource extends { name: infer Name extends string }
  ? Name
  : Extract<Resource, string>;

/** The config of a resource. A resource that is only named in the list has an empty config. */
type ConfigOf<S extends Source, Name> = NoneIfNever<
  Extract<S["config"]["resources"][number], { name: Name }>
>;
type NoneIfNever<T> = [T] extends [never] ? None : T;

type DefaultsOf<S extends Source> = MemberOf<S["config"], "resource_defaults">;

type OptionsOf<S extends Source, Name> = MemberOf<MemberOf<S["options"], "resources">, Name>;

/** A setting of the resource, or else of resource_defaults. */
type SettingOf<S extends Source, Name, Key> = Key extends keyof ConfigOf<S, Name>
  ? ConfigOf<S, Name>[Key]
  : MemberOf<DefaultsOf<S>, Key>;

// ── Columns ──────────────────────────────────────────────────────────────────────────────────────

/** Columns by name. Options replace the resource's hints, which replace those of the defaults. */
export type Columns<S extends Source, Name> = MergeColumns<
  MergeColumns<DefaultColumns<S, Name>, ColumnsByName<MemberOf<ConfigOf<S, Name>, "columns">>>,
  ColumnsByName<MemberOf<OptionsOf<S, Name>, "columns">>
>;

/** `columns: null` drops the columns of the defaults. */
type DefaultColumns<S extends Source, Name> =
  SettingOf<S, Name, "columns"> extends null
    ? None
    : ColumnsByName<MemberOf<DefaultsOf<S>, "columns">>;

type ColumnsByName<C> = C extends readonly NamedColumnConfig[]
  ? { [Column in C[number] as Column["name"]]: Omit<Column, "name"> }
  : C extends object
    ? C
    : None;

/** Merges two sets of columns hint by hint. */
type MergeColumns<Lower, Upper> = {
  [Name in keyof Lower | keyof Upper]: Name extends keyof Upper
    ? Name extends keyof Lower
      ? Omit<Lower[Name], keyof Upper[Name]> & Upper[Name]
      : Upper[Name]
    : MemberOf<Lower, Name>;
};

// ── The key ──────────────────────────────────────────────────────────────────────────────────────

/** The fields of a resource's key, in the order of the key. */
export type KeyFields<S extends Source, Name> =
  UsesRowId<S, Name, DeclaredKey<S, Name>> extends true ? ["_row_id"] : DeclaredKey<S, Name>;

type DeclaredKey<S extends Source, Name> = [
  ...ToList<SettingOf<S, Name, "primary_key">>,
  ...KeyColumns<
    Exclude<FlaggedColumns<Columns<S, Name>>, ToList<SettingOf<S, Name, "primary_key">>[number]>
  >,
];

type ToList<T> = T extends string ? [T] : T extends readonly string[] ? T : [];

type FlaggedColumns<C> = {
  [F in keyof C]: C[F] extends { primary_key: true } ? F : never;
}[keyof C];

/** The key from flagged columns. With several columns, the compiler does not know their order. */
type KeyColumns<F, All = F> = [F] extends [never]
  ? []
  : F extends unknown
    ? [All] extends [F]
      ? [F]
      : All[]
    : never;

/** Resources without a key, and resources that append, get a `_row_id`. */
type UsesRowId<S extends Source, Name, Fields extends readonly unknown[]> = Fields extends []
  ? true
  : SettingOf<S, Name, "write_disposition"> extends "append" | { disposition: "append" }
    ? true
    : false;

// ── Indexes ──────────────────────────────────────────────────────────────────────────────────────

/** Indexes by name. The `table` option of a resource replaces the source's, option by option. */
export type Indexes<S extends Source, Name> = "indexes" extends keyof MemberOf<
  OptionsOf<S, Name>,
  "table"
>
  ? MemberOf<MemberOf<OptionsOf<S, Name>, "table">, "indexes">
  : MemberOf<MemberOf<S["options"], "table">, "indexes">;
