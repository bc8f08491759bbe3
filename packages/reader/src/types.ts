import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DataType, Decimal, JsonValue, Source } from "@tidetable/core";
import type { At, Columns, Indexes, KeyFields, ResourceName } from "./columns.ts";

/*
 * What `table` gives, by what the source declares.
 */

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────────

/** A number with all its digits: see docs/reading.md. */
export type Numeric = number | bigint | Decimal;

interface Values {
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

type Value<Type> = Type extends DataType ? Values[Type] : unknown;

/** A field that is not declared otherwise may be null, as in dlt. */
type FieldValue<Column> = Column extends { nullable: false }
  ? Value<At<Column, "data_type">>
  : Value<At<Column, "data_type">> | null;

type NumberKey = "bigint" | "decimal" | "double";

/** A field of the key as it stands in a row: text, unless it is declared a number or binary. */
type KeyValue<Type> = Type extends NumberKey | "binary" ? Value<Type> : string;

/** From three fields on all but the first stay as the API sent them. */
type JoinedValue<Type> = Type extends DataType ? Values[Type] : string | Numeric;

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

type TypeOf<C, F> = At<At<C, F>, "data_type">;

type Parts<S extends Source, Name> = KeyRow<KeyFields<S, Name>, Columns<S, Name>> & {
  [F in Exclude<keyof Columns<S, Name>, KeyFields<S, Name>[number]>]: FieldValue<
    Columns<S, Name>[F]
  >;
} & { [field: string]: unknown };

/** A row: the key, the declared columns, and whatever else the API sends. */
export type RowOf<S extends Source, Name> =
  // Inferred once more, so that an editor shows the fields.
  Parts<S, Name> extends infer Row ? { [F in keyof Row]: Row[F] } : never;

/** The names that are known, for an editor to offer, and any other where the row has others. */
export type Field<Row> =
  | Extract<keyof { [K in keyof Row as string extends K ? never : K]: K }, string>
  | (string extends keyof Row ? AnyName : never);
// Plain `string` would swallow the names before it.
type AnyName = string & {};

/** The named fields; the whole row, where none are named. */
export type Picked<Row, F extends string> = [Field<Row>] extends [F]
  ? Row
  : { [K in F]: K extends keyof Row ? Row[K] : never };

// ── Keys ─────────────────────────────────────────────────────────────────────────────────────────

/** What may be given for a field of a key. A number for a text key is written as the run wrote it. */
type Given<Type> = Type extends NumberKey
  ? Numeric
  : Type extends "binary"
    ? Uint8Array
    : string | Numeric;

type AnyGiven = string | Numeric | Uint8Array;

export type KeyOf<S extends Source, Name> = GivenFor<KeyFields<S, Name>[number], Columns<S, Name>>;
type GivenFor<F extends PropertyKey, C> = { [One in F]: Given<TypeOf<C, One>> } extends infer Key
  ? { [One in keyof Key]: Key[One] }
  : never;

/** A key of which the compiler knows no more. */
export type AnyKey = Readonly<Record<string, AnyGiven>>;

// ── What can be asked ────────────────────────────────────────────────────────────────────────────

export interface TableOptions {
  /** The deployed stage. Default: the environment's TIDETABLE_STAGE. */
  stage?: string;
  /** The app's name in sst.config.ts. Default: "tidetable". */
  app?: string;
  /** The source's name, for one that is not registered in packages/sources. */
  source?: string;
  /** Default: one for all tables, made for the first request. */
  client?: DynamoDBClient;
}

export interface GetOptions<F extends string = string> {
  /** Only these, and not the rest of the row. Default: all of it. */
  fields?: readonly F[];
  /** Sees every write that was acknowledged before, at twice the price. Default: false. */
  consistent?: boolean;
}

export interface ScanOptions<F extends string = string> extends GetOptions<F> {
  /** So many parts of the table are read at once. Default: 1. */
  segments?: number;
  /** At most so many rows in all. */
  limit?: number;
}

export interface QueryOptions<Range = AnyGiven, F extends string = string> extends GetOptions<F> {
  /** A condition on the range key. */
  range?: RangeCondition<Range>;
  /** At most so many rows in all. */
  limit?: number;
  /** From the highest range key down. Default: false. */
  descending?: boolean;
}

/** @example { gte: "2026-01-01" } */
export type RangeCondition<T = AnyGiven> =
  | { eq: T }
  | { lt: T }
  | { lte: T }
  | { gt: T }
  | { gte: T }
  | { between: readonly [low: T, high: T] }
  | { begins_with: Extract<T, string | Uint8Array> };

/** Pages, none of them empty. A `break` stops the requests. */
export type Pages<Row> = AsyncGenerator<Row[], void, undefined>;

export interface Table<Row, Key = AnyKey> {
  /** What DynamoDB calls it. */
  readonly name: string;
  /** The row of this key; undefined when there is none. */
  get<F extends Field<Row>>(key: Key, options?: GetOptions<F>): Promise<Picked<Row, F> | undefined>;
  /** The rows of these keys, in their order. */
  getMany<F extends Field<Row>>(
    keys: readonly Key[],
    options?: GetOptions<F>,
  ): Promise<(Picked<Row, F> | undefined)[]>;
  /** All rows, in no order, page by page. */
  scan<F extends Field<Row>>(options?: ScanOptions<F>): Pages<Picked<Row, F>>;
}

/** Rows that share the hash key, in the order of the range key. */
export interface Queries<Row, Hash, Range> {
  query<F extends Field<Row>>(hash: Hash, options?: QueryOptions<Range, F>): Pages<Picked<Row, F>>;
}

/** The same by an index, which DynamoDB keeps up a moment later. */
export interface IndexQueries<I> {
  query<Name extends keyof I, F extends Field<At<I[Name], "row">>>(
    hash: At<I[Name], "hash">,
    options: { index: Name } & Omit<QueryOptions<At<I[Name], "range">, F>, "consistent">,
  ): Pages<Picked<At<I[Name], "row">, F>>;
}

/** A table of which the compiler knows what its rows are, and not what its key is. */
export type AnyTable<Row> = Table<Row> & {
  query<F extends Field<Row>>(
    hash: AnyKey,
    options?: QueryOptions<AnyGiven, F> & { index?: string },
  ): Pages<Picked<Row, F>>;
};

// ── What a resource's table can be asked ─────────────────────────────────────────────────────────

export type TableOf<S extends Source, Name> =
  string extends ResourceName<S>
    ? AnyTable<Record<string, unknown>>
    : Table<RowOf<S, Name>, KeyOf<S, Name>> &
        KeyQueries<S, Name, KeyFields<S, Name>> &
        ([Indexes<S, Name>] extends [undefined]
          ? unknown
          : IndexQueries<IndexesOf<S, Name, Indexes<S, Name>>>);

/** Where a key has two attributes. A joined one can not be compared. */
type KeyQueries<S extends Source, Name, Fields> = Fields extends [infer Hash, infer Range]
  ? Queries<
      RowOf<S, Name>,
      GivenFor<Extract<Hash, PropertyKey>, Columns<S, Name>>,
      Given<TypeOf<Columns<S, Name>, Range>>
    >
  : Fields extends [infer Hash, unknown, ...unknown[]]
    ? Queries<RowOf<S, Name>, GivenFor<Extract<Hash, PropertyKey>, Columns<S, Name>>, never>
    : number extends At<Fields, "length">
      ? Queries<RowOf<S, Name>, Partial<KeyOf<S, Name>>, AnyGiven>
      : unknown;

type IndexesOf<S extends Source, Name, All> = {
  [I in keyof All]: {
    hash: GivenFor<Extract<At<All[I], "hash">, PropertyKey>, Columns<S, Name>>;
    range: "range" extends keyof All[I] ? Given<TypeOf<Columns<S, Name>, All[I]["range"]>> : never;
    row: IndexRow<S, Name, All[I], At<All[I], "projection">>;
  };
} extends infer Made
  ? { [I in keyof Made]: Made[I] }
  : never;

/** A joined key is no field of the record. */
type KeyAttribute<Fields extends readonly PropertyKey[]> = Fields extends readonly [
  infer First,
  PropertyKey,
  PropertyKey,
  ...unknown[],
]
  ? First
  : Fields[number];

/** What an index does not hold is not in its rows. */
type IndexRow<S extends Source, Name, Index, Projection> = Projection extends "all" | undefined
  ? RowOf<S, Name>
  : Picked<
      RowOf<S, Name>,
      Extract<
        | KeyAttribute<KeyFields<S, Name>>
        | At<Index, "hash" | "range">
        | (Projection extends readonly unknown[] ? Projection[number] : never),
        string
      >
    >;
