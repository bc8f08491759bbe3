import type { Problem } from "../../base/errors.ts";
import { Secret } from "../../secrets/reference.ts";
import type { IncrementalConfig } from "../endpoint-types.ts";
import { isLocalOnly } from "../hosts.ts";
import { incrementals } from "../incremental.ts";
import { type SettledEndpoint, type SettledResource, settle } from "../settle.ts";
import type { Source } from "../source.ts";
import { spell } from "../spell.ts";
import { formatPath, type Place, walk } from "../walk.ts";

/** Keys that dlt has and DynamoDB has no use for. */
const meaningless =
  /^(client\.session|auth\.session|resource\.(file_format|table_format|references|nested_hints|parallelized|max_table_nesting|endpoint\.(incremental|params\.\*)\.allow_external_schedulers))$/;

const credential = /^auth\.(token|api_key|password|client_secret|access_token)$/;

const isPlain = (value: unknown) =>
  typeof value === "string" && Secret.of(value).names.length === 0;

/** What runs and is still worth a word: keys without an effect, credentials in the clear. */
export function notices(source: Source): Problem[] {
  const spelling = spell(source.config);
  return [
    ...[...walk(spelling.config)].flatMap(notice),
    ...settle(source).resources.flatMap(unsentCursor),
  ].map((found) => ({ ...found, path: spelling.written.get(found.path) ?? found.path }));
}

const address = /^(client\.base_url|client\.allowed_origins\.\*|auth\.access_token_url)$/;

function notice({ path, pattern, value }: Place): Problem[] {
  if (meaningless.test(pattern)) {
    return [{ path, message: "means nothing in DynamoDB and has no effect" }];
  }
  if (credential.test(pattern) && isPlain(value) && value !== "") {
    return [
      {
        path,
        message: "a credential stands in the config as plain text",
        hint: `name it instead: dlt.secrets["name"]`,
      },
    ];
  }
  const isUrl = address.test(pattern) && typeof value === "string" && URL.canParse(value);
  if (isUrl && isLocalOnly(value)) {
    return [
      {
        path,
        message:
          "local mode reads it; a worker in AWS asks nothing but https, at addresses that are not its own machine's",
        hint: "write https:// before a deploy",
      },
    ];
  }
  return [];
}

function unsentCursor({ endpoint }: SettledResource, index: number): Problem[] {
  const [found] = incrementals(endpoint);
  if (!found || sendsStart(endpoint)) return [];
  return [
    {
      path: formatPath(["resources", index, "endpoint", ...found.keys]),
      message: "no request says where to start, so every run reads everything",
      hint: `name the API's parameter, for example "start_param": "since"`,
    },
  ];
}

/** Whether any part of a request says where the run starts. */
function sendsStart(endpoint: SettledEndpoint): boolean {
  const [found] = incrementals(endpoint);
  if (found?.keys[0] === "params" || (found?.config as IncrementalConfig).start_param) return true;
  const { path, params, json, data, headers } = endpoint;
  return JSON.stringify([path, params, json, data, headers]).includes("{incremental.");
}
