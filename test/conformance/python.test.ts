import { recordsWithIds, serveSlices } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// A `.py` source is read, never executed.

const pythonRow = (name: string, dict: string, outcome: Partial<Row> = {}, around = ""): Row => ({
  name,
  python: `import dlt
from dlt.sources.rest_api import rest_api_source
${around}
source = rest_api_source(${dict})
`,
  routes: { "/rows": recordsWithIds(1, 2) },
  ...outcome,
});

const plain = '{"client": {"base_url": "$api"}, "resources": ["rows"]}';

conformance("Python sources", [
  pythonRow("a dict is read", plain, { requests: ["/rows"], records: recordsWithIds(1, 2) }),
  pythonRow(
    "None, True, False, tuples, comments and trailing commas are read",
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
  pythonRow(
    "strings with all of Python's quotes, and concatenated strings, are read",
    `{"client": {"base_url": "$api"}, "resources": [{"name": "rows", "endpoint": {"path": "ro" "ws", "params": {"q": r'a\\d', "t": """x
y""", "e": "\\u00e9\\n"}}}]}`,
    {
      requests: [
        `/rows?q=${encodeURIComponent("a\\d")}&t=${encodeURIComponent("x\ny")}&e=${encodeURIComponent("é\n")}`,
      ],
    },
  ),
  pythonRow(
    "dlt.secrets is read",
    '{"client": {"base_url": "$api", "auth": {"type": "bearer", "token": dlt.secrets["token"]}}, "resources": ["rows"]}',
    { secrets: { token: "canary-token" }, headers: { authorization: "Bearer canary-token" } },
  ),
  pythonRow(
    "an offset paginator of a source document is read",
    '{"client": {"base_url": "$api", "paginator": {"type": "offset", "limit": 2}}, "resources": ["rows"]}',
    {
      routes: { "/rows": serveSlices(recordsWithIds(1, 2)) },
      requests: ["/rows?offset=0&limit=2", "/rows?offset=2&limit=2"],
    },
  ),
  pythonRow(
    "a variable with a type is read",
    "config",
    { requests: ["/rows"], records: recordsWithIds(1, 2) },
    `config: RESTAPIConfig = ${plain}`,
  ),
  pythonRow("a call is refused", '{"client": {"base_url": find("X")}, "resources": ["rows"]}', {
    problems: [["$file:4:50", "find"]],
  }),
  pythonRow(
    "a syntax error names its position",
    '{"client": {"base_url": "$api", "resources": ["rows"]}',
    {
      problems: [["$file:4:98"]],
    },
  ),
  pythonRow(
    "problems of the dict are reported as for any other file",
    '{"client": {"base_url": "$api"}, "resources": [{"name": "rows", "endpont": "x"}]}',
    {
      problems: [["resources[0].endpont", "unknown key", "endpoint"]],
    },
  ),
]);
