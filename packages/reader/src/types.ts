import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DataType, Decimal, JsonValue, Source } from "@tidetable/core";
import type { Columns, Indexes, KeyFields, MemberOf, ResourceName } from "./columns.ts";

/*
 * The types of a table, derived from the declaration of its source.
 */

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────────

/** A number with every digit: see docs/reading.md. */
export type Numeric = number | bigint | Decimal;

interface TypeScriptTypes {
  text: string;
  timestamp: string;
  date: string;
  time: string;
  bigint: number | bigint;
  wei: number | bigint;
  double: number;
  decimal: Numeric;
  bool: boolean;
  binary: Uint8Array;
  json: JsonValue;
}

type ValueOf<Type> = Type extends DataType ? TypeScriptTypes[Type] : unknown;

/** As in dlt, a field may be null unless its column is declared `nullable: false`. */
type FieldValue<Column> = Column extends { nullable: false }
  ? ValueOf<MemberOf<Column, "data_type">>
  : ValueOf<MemberOf<Column, "data_type">> | null;

type NumberKey = "bigint" | "decimal" | "double";

/** A key field in a row: a string, unless its column is declared a number or binary. */
type KeyValue<Type> = Type extends NumberKey | "binary" ? ValueOf<Type> : string;

/** A key field that is joined into `_key`. In the row, the field stays as the API sent it. */
type JoinedValue<Type> = Type extends DataType ? TypeScriptTypes[Type] : string | Numeric;

type KeyRow<Fields extends readonly PropertyKey[], C> = {
  [F in Fields[number]]: Fields extends readonly [
    infer First,
    PropertyKey,
    PropertyKey,
    ...unknown[],
  ]
    ? F extends First
      ? KeyValue<TypeOf<C, F>>
      : JoinedValue<TypeOf<C, F>>
    : KeyValue<TypeOf<C, F>>;
};

type TypeOf<C, F> = MemberOf<MemberOf<C, F>, "data_type">;

type RowParts<S extends Source, Name> = KeyRow<KeyFields<S, Name>, Columns<S, Name>> & {
  [F in Exclude<keyof Columns<S, Name>, KeyFields<S, Name>[number]>]: FieldValue<
    Columns<S, Name>[F]
  >;
} & { [field: string]: unknown };

/** A row: the key, the declared columns, and further fields of unknown type. */
export type RowOf<S extends Source, Name> =
  // The inference makes editors show the fields instead of the name of a type.
  RowParts<S, Name> extends infer Row ? { [F in keyof Row]: Row[F] } : never;

/** A field's name. Editors offer the declared names, and rows with further fields take any name. */
export type Field<Row> =
  | Extract<keyof { [K in keyof Row as string extends K ? never : K]: K }, string>
  | (string extends keyof Row ? AnyName : never);
// Plain `string` would absorb the declared names.
type AnyName = string & {};

/** The requested fields of a row, or the whole row. */
export type Picked<Row, F extends string> = [Field<Row>] extends [F]
  ? Row
  : { [K in F]: K extends keyof Row ? Row[K] : never };

// ── Keys ─────────────────────────────────────────────────────────────────────────────────────────

/** A key field's value in a request. A number for a text key is written as a run writes it. */
type KeyInput<Type> = Type extends NumberKey
  ? Numeric
  : Type extends "binary"
    ? Uint8Array
    : string | Numeric;

type AnyKeyInput = string | Numeric | Uint8Array;

export type KeyOf<S extends Source, Name> = KeyInputs<KeyFields<S, Name>[number], Columns<S, Name>>;
type KeyInputs<F extends PropertyKey, C> = {
  [Name in F]: KeyInput<TypeOf<C, Name>>;
} extends infer Key
  ? { [Name in keyof Key]: Key[Name] }
  : never;

/** A key whose fields the compiler does not know. */
export type AnyKey = Readonly<Record<string, AnyKeyInput>>;

// ── Options ──────────────────────────────────────────────────────────────────────────────────────

export interface TableOptions {
  /** The deployed stage. Default: the environment's TIDETABLE_STAGE, or the stage of the SST app. */
  stage?: string;
  /** The app's name. Default: TIDETABLE_APP, or that of the SST app around, or "tidetable". */
  app?: string;
  /** The source's name. Required for a source that is not registered in packages/sources. */
  source?: string;
  /** Default: one client for every table, made for the first request. */
  client?: DynamoDBClient;
}

export interface GetOptions<F extends string = string> {
  /** The fields to read. Default: the whole row. */
  fields?: readonly F[];
  /** Sees every earlier acknowledged write, at twice the price. Default: false. */
  consistent?: boolean;
}

export interface ScanOptions<F extends string = string> extends GetOptions<F> {
  /** The number of parts of the table that are read at once. Default: 1. */
  segments?: number;
  /** The maximal number of rows. */
  limit?: number;
}

export interface QueryOptions<Range = AnyKeyInput, F extends string = string>
  extends GetOptions<F> {
  /** A condition on the range key. */
  range?: RangeCondition<Range>;
  /** The maximal number of rows. */
  limit?: number;
  /** Reads from the highest range key down. Default: false. */
  descending?: boolean;
}

/** @example { gte: "2026-01-01" } */
export type RangeCondition<T = AnyKeyInput> =
  | { eq: T }
  | { lt: T }
  | { lte: T }
  | { gt: T }
  | { gte: T }
  | { between: readonly [low: T, high: T] }
  | { begins_with: Extract<T, string | Uint8Array> };

/** Yields pages, never an empty page. A `break` stops the requests. */
export type Pages<Row> = AsyncGenerator<Row[], void, undefined>;

export interface Table<Row, Key = AnyKey> {
  /** The table's name in DynamoDB. */
  readonly name: string;
  /** Reads the row with the key. Undefined for a missing row. */
  get<F extends Field<Row>>(key: Key, options?: GetOptions<F>): Promise<Picked<Row, F> | undefined>;
  /** Reads the rows with the keys, in the order of the keys. */
  getMany<F extends Field<Row>>(
    keys: readonly Key[],
    options?: GetOptions<F>,
  ): Promise<(Picked<Row, F> | undefined)[]>;
  /** Reads every row page by page, in no order. */
  scan<F extends Field<Row>>(options?: ScanOptions<F>): Pages<Picked<Row, F>>;
}

/** Reads the rows that share a hash key, in the order of the range key. */
export interface Queries<Row, Hash, Range> {
  query<F extends Field<Row>>(hash: Hash, options?: QueryOptions<Range, F>): Pages<Picked<Row, F>>;
}

/** Reads rows by an index, which DynamoDB updates a moment after the table. */
export interface IndexQueries<I> {
  query<Name extends keyof I, F extends Field<MemberOf<I[Name], "row">>>(
    hash: MemberOf<I[Name], "hash">,
    options: { index: Name } & Omit<QueryOptions<MemberOf<I[Name], "range">, F>, "consistent">,
  ): Pages<Picked<MemberOf<I[Name], "row">, F>>;
}

/** A table whose rows the compiler knows, but not the key. */
export type AnyTable<Row> = Table<Row> & {
  query<F extends Field<Row>>(
    hash: AnyKey,
    options?: QueryOptions<AnyKeyInput, F> & { index?: string },
  ): Pages<Picked<Row, F>>;
};

// ── The table of a resource ──────────────────────────────────────────────────────────────────────

export type TableOf<S extends Source, Name> =
  string extends ResourceName<S>
    ? AnyTable<Record<string, unknown>>
    : Table<RowOf<S, Name>, KeyOf<S, Name>> &
        KeyQueries<S, Name, KeyFields<S, Name>> &
        ([Indexes<S, Name>] extends [undefined]
          ? unknown
          : IndexQueries<IndexesOf<S, Name, Indexes<S, Name>>>);

/** Exists for a key of two attributes. A joined range key cannot be compared. */
type KeyQueries<S extends Source, Name, Fields> = Fields extends [infer Hash, infer Range]
  ? Queries<
      RowOf<S, Name>,
      KeyInputs<Extract<Hash, PropertyKey>, Columns<S, Name>>,
      KeyInput<TypeOf<Columns<S, Name>, Range>>
    >
  : Fields extends [infer Hash, unknown, ...unknown[]]
    ? Queries<RowOf<S, Name>, KeyInputs<Extract<Hash, PropertyKey>, Columns<S, Name>>, never>
    : number extends MemberOf<Fields, "length">
      ? Queries<RowOf<S, Name>, Partial<KeyOf<S, Name>>, AnyKeyInput>
      : unknown;

type IndexesOf<S extends Source, Name, All> = {
  [I in keyof All]: {
    hash: KeyInputs<Extract<MemberOf<All[I], "hash">, PropertyKey>, Columns<S, Name>>;
    range: "range" extends keyof All[I]
      ? KeyInput<TypeOf<Columns<S, Name>, All[I]["range"]>>
      : never;
    row: IndexRow<S, Name, All[I], MemberOf<All[I], "projection">>;
  };
} extends infer Queryable
  ? { [I in keyof Queryable]: Queryable[I] }
  : never;

/** The key fields that an index holds. A joined range key is no field of the record. */
type KeyAttribute<Fields extends readonly PropertyKey[]> = Fields extends readonly [
  infer First,
  PropertyKey,
  PropertyKey,
  ...unknown[],
]
  ? First
  : Fields[number];

/** The rows of an index have only the fields that the index holds. */
type IndexRow<S extends Source, Name, Index, Projection> = Projection extends "all" | undefined
  ? RowOf<S, Name>
  : Picked<
      RowOf<S, Name>,
      Extract<
        | KeyAttribute<KeyFields<S, Name>>
        | MemberOf<Index, "hash" | "range">
        | (Projection extends readonly unknown[] ? Projection[number] : never),
        string
      >
    >;
