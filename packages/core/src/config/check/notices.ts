import type { Problem } from "../../base/errors.ts";
import type { IncrementalConfig } from "../endpoint-types.ts";
import { isLocalOnly } from "../hosts.ts";
import { findIncrementals } from "../incremental.ts";
import { findPlainCredentials } from "../plain-credentials.ts";
import { type SettledResource, settleSource } from "../settle.ts";
import { expandShorthands } from "../shorthands.ts";
import type { Source } from "../source.ts";
import { type ConfigValue, formatPath, walkConfig } from "../walk.ts";

/** Keys of dlt without an effect in DynamoDB. */
const meaninglessKeys =
  /^(client\.session|auth\.session|resource\.(file_format|table_format|references|nested_hints|parallelized|max_table_nesting|endpoint\.(incremental|params\.\*)\.allow_external_schedulers))$/;

const versionColumn = /^resource\.write_disposition\.row_version_column_name$/;

const urlKeys = /^(client\.base_url|client\.allowed_origins\.\*|auth\.access_token_url)$/;

/** Finds parts of a valid config that deserve a warning, such as keys without an effect. */
export function findNotices(source: Source): Problem[] {
  const { config, writtenPaths } = expandShorthands(source.config);
  const notices = [
    ...[...walkConfig(config)].flatMap(valueNotices),
    ...findPlainCredentials(config).map(({ place }) => plainCredentialNotice(place)),
    ...settleSource(source).resources.flatMap(unsentCursorNotices),
  ];
  return notices.map((notice) => ({
    ...notice,
    path: writtenPaths.get(notice.path) ?? notice.path,
  }));
}

function valueNotices({ path, pattern, value }: ConfigValue): Problem[] {
  if (meaninglessKeys.test(pattern)) {
    return [{ path, message: "means nothing in DynamoDB and has no effect" }];
  }
  if (versionColumn.test(pattern)) {
    return [{ path, message: "whole rows are compared, and not this field alone" }];
  }
  const isUrl = urlKeys.test(pattern) && typeof value === "string" && URL.canParse(value);
  if (isUrl && isLocalOnly(value)) {
    return [
      {
        path,
        message:
          "local mode reads it; a worker in AWS requests only https, and no address of its own machine",
        hint: "write https:// before a deploy",
      },
    ];
  }
  return [];
}

const plainCredentialNotice = ({ path }: ConfigValue): Problem => ({
  path,
  message: "a credential stands in the config as plain text",
  hint: `name it instead: dlt.secrets["name"]`,
});

function unsentCursorNotices({ endpoint }: SettledResource, index: number): Problem[] {
  const [incremental] = findIncrementals(endpoint);
  if (!incremental) return [];
  const isParam = incremental.keys[0] === "params";
  if (isParam || (incremental.config as IncrementalConfig).start_param) return [];
  const { path, params, json, data, headers } = endpoint;
  const request = JSON.stringify([path, params, json, data, headers]);
  if (request.includes("{incremental.")) return [];
  return [
    {
      path: formatPath(["resources", index, "endpoint", ...incremental.keys]),
      message: "no request says where to start, so every run reads everything",
      hint: `name the API's parameter, for example "start_param": "since"`,
    },
  ];
}
