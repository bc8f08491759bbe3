import { dlt, rest_api_source, type Source } from "../../../packages/core/src/config/source.ts";
import type { ResourceConfig, SourceConfig } from "../../../packages/core/src/config/types.ts";
import { stampText } from "../api/stamps.ts";
import { type CursorDraw, isAppended, isKeyed, type Level, type Paging } from "./levels.ts";

export const ORIGIN = "https://api.example.com";

/** The field by which rows grow newer. */
export const STAMP = "updated_at";

/** The config that says what was drawn, as a user would write it. */
export function configOf(levels: readonly Level[]): Source {
  const config: SourceConfig = {
    client: {
      base_url: ORIGIN,
      auth: {
        type: "api_key",
        name: "api_key",
        api_key: dlt.secrets["api_key"],
        location: "query",
      },
    },
    resources: levels.map((level) => resourceOf(level, levels)),
  };
  return rest_api_source(config);
}

function resourceOf(level: Level, levels: readonly Level[]): ResourceConfig {
  const { name, depth, isStored, rows, cursor, include, writes, parallelPages } = level;
  const parent = levels.find((one) => one.depth === depth - 1);
  const hasKey = isKeyed(level) || rows === "append_keyed";
  return {
    name,
    ...(hasKey ? { primary_key: "id" } : {}),
    write_disposition: dispositionOf(level),
    ...(isStored ? {} : { selected: false }),
    ...(include.length > 0 ? { include_from_parent: [...include] } : {}),
    ...(level.onMissing ? { on_parent_value_missing: level.onMissing } : {}),
    ...(level.onError ? { on_parent_error: level.onError } : {}),
    ...(writes ? { writes } : {}),
    ...(parallelPages ? { parallel_pages: parallelPages } : {}),
    ...(level.allowsShrink ? { allow_shrink: true } : {}),
    ...(rows === "ordered" ? { write_mode: "ordered", version_field: "version" } : {}),
    columns: {
      version: { data_type: "bigint" },
      ...(cursor?.format === "epoch_s" ? { [STAMP]: { data_type: "timestamp" } } : {}),
    },
    endpoint: {
      path: parent ? `/${parent.name}/{resources.${parent.name}.slug}/${name}` : `/${name}`,
      data_selector: "data",
      ...(level.paging.isDetected ? {} : { paginator: paginatorOf(level.paging) }),
      ...(cursor ? { incremental: incrementalOf(cursor, level) } : {}),
    },
  };
}

function dispositionOf(level: Level): NonNullable<ResourceConfig["write_disposition"]> {
  if (level.rows === "insert_only") return { disposition: "merge", strategy: "insert-only" };
  if (isAppended(level)) return "append";
  return level.rows === "replace" || level.rows === "replace_keyless" ? "replace" : "merge";
}

function incrementalOf(cursor: CursorDraw, { order }: Level) {
  const { format, lag, initial, end, step, isPerParent, rangeStart, rangeEnd } = cursor;
  const text = (ms: number) => stampText(ms, format);
  const unit = format === "date" ? 86_400_000 : 1_000;
  return {
    cursor_path: STAMP,
    start_param: "since",
    ...(lag > 0 ? { lag } : {}),
    ...(initial === undefined ? {} : { initial_value: text(initial) }),
    ...(end === undefined ? {} : { end_value: text(end), end_param: "until" }),
    ...(step === undefined ? {} : { step: step / unit }),
    ...(rangeStart === "open" ? { range_start: rangeStart } : {}),
    ...(rangeEnd === "closed" ? { range_end: rangeEnd } : {}),
    ...(isPerParent ? { per_parent: true } : {}),
    ...(cursor.saysOrder
      ? { row_order: order === "stamp" ? ("asc" as const) : ("desc" as const) }
      : {}),
  };
}

function paginatorOf({ family, limit, overlap, total, basePage }: Paging) {
  const named = total !== "never";
  switch (family) {
    case "page_number":
      return { type: family, base_page: basePage, total_path: named ? "pages" : null };
    case "offset":
      return {
        type: family,
        limit,
        total_path: named ? "total" : null,
        ...(overlap === undefined ? {} : { overlap }),
      };
    case "cursor":
      return { type: family, cursor_path: "next_cursor", cursor_param: "cursor" };
    case "json_link":
      return { type: family, next_url_path: "next" };
    default:
      return { type: family };
  }
}
