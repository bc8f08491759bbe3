import { ids, slices } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// A `.py` source is read, never executed.

const source = (name: string, dict: string, shows: Partial<Row> = {}, around = ""): Row => ({
  name,
  python: `import dlt
from dlt.sources.rest_api import rest_api_source
${around}
source = rest_api_source(${dict})
`,
  routes: { "/rows": ids(1, 2) },
  ...shows,
});

const plain = '{"client": {"base_url": "$api"}, "resources": ["rows"]}';

conformance("Python sources", [
  source("a dict", plain, { requests: ["/rows"], records: ids(1, 2) }),
  source(
    "None, True, False, tuples, comments and trailing commas",
    `{
    # the API
    'client': {"base_url": "$api", "auth": None,},
    "resource_defaults": {"primary_key": ("id",), "write_disposition": "merge"},
    "resources": [
        {"name": "rows", "selected": True, "endpoint": {"params": {"a": False, "n": 1_000, "x": None}}},  # one
    ],
}`,
    { requests: ["/rows?a=false&n=1000"], records: [{ id: "1" }, { id: "2" }] },
  ),
  source(
    "texts in all of Python's quotes, and joined ones",
    `{"client": {"base_url": "$api"}, "resources": [{"name": "rows", "endpoint": {"path": "ro" "ws", "params": {"q": r'a\\d', "t": """x
y""", "e": "\\u00e9\\n"}}}]}`,
    {
      requests: [
        `/rows?q=${encodeURIComponent("a\\d")}&t=${encodeURIComponent("x\ny")}&e=${encodeURIComponent("é\n")}`,
      ],
    },
  ),
  source(
    "dlt.secrets",
    '{"client": {"base_url": "$api", "auth": {"type": "bearer", "token": dlt.secrets["token"]}}, "resources": ["rows"]}',
    { secrets: { token: "canary-token" }, headers: { authorization: "Bearer canary-token" } },
  ),
  source(
    "an offset paginator of a seed",
    '{"client": {"base_url": "$api", "paginator": {"type": "offset", "limit": 2}}, "resources": ["rows"]}',
    {
      routes: { "/rows": slices(ids(1, 2)) },
      requests: ["/rows?offset=0&limit=2", "/rows?offset=2&limit=2"],
    },
  ),
  source(
    "a typed name",
    "config",
    { requests: ["/rows"], records: ids(1, 2) },
    `config: RESTAPIConfig = ${plain}`,
  ),
  source("a call is refused", '{"client": {"base_url": os.environ["X"]}, "resources": ["rows"]}', {
    problems: [["$file:4:50", "os.environ"]],
  }),
  source("a syntax error says where", '{"client": {"base_url": "$api", "resources": ["rows"]}', {
    problems: [["$file:4:98"]],
  }),
  source(
    "what the dict says wrongly is told as ever",
    '{"client": {"base_url": "$api"}, "resources": [{"name": "rows", "endpont": "x"}]}',
    {
      problems: [["resources[0].endpont", "unknown key", "endpoint"]],
    },
  ),
]);
