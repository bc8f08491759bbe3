import { beforeEach, describe, expect, it } from "vitest";
import { dlt, rest_api_source } from "../../../packages/core/src/config/source.ts";
import { value } from "../../../packages/core/src/config/stage-value.ts";
import { fillSources } from "../../../packages/core/src/config/stage-values.ts";
import { type CommandResult, openCliFolder } from "../../support/cli.ts";

let put: (name: string, content: unknown) => Promise<void>;
let cli: (args: string[]) => Promise<CommandResult>;
beforeEach(async () => {
  ({ put, cli } = await openCliFolder({ "package.json": { type: "module" } }));
});

const shop = `
import dlt
from dlt.sources.rest_api import rest_api_source

source = rest_api_source({
    "client": {"base_url": f"https://{dlt.config['region']}.example.com"},
    "resources": [{"name": "orders", "endpoint": {"params": {"size": dlt.config["size"]}}}],
})
`;

const firstUrl = async (...args: string[]) => {
  const { stdout, code } = await cli(["plan", "shop.py", "--json", ...args]);
  expect(code).toBe(0);
  return /https:[^"]*/.exec(stdout)?.[0];
};

describe("values by stage", () => {
  it("a missing value is named before any request, with its place and where to set it", async () => {
    await put("shop.py", shop);
    const { code, stderr } = await cli(["plan", "shop.py", "--set", "size=10"]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `client.base_url: the value "region" is not set; write {"region": "…"} into values.local.json, or give it by --set region=…`,
    );
  });

  it("values come from the command line, before the stage's file, before package.json", async () => {
    await put("shop.py", shop);
    await put("package.json", {
      type: "module",
      tidetable: { app: "shop", values: { region: "us", size: 1 } },
    });
    expect(await firstUrl()).toBe("https://us.example.com/orders?size=1");
    await put("values.local.json", { region: "fr", other: { size: 2 }, shop: { size: 3 } });
    expect(await firstUrl()).toBe("https://fr.example.com/orders?size=3");
    expect(await firstUrl("--set", "region=de", "--set", "size=4")).toBe(
      "https://de.example.com/orders?size=4",
    );
  });

  it("a value that is no string, number or boolean is refused with its place", async () => {
    await put("shop.py", shop);
    await put("values.local.json", { region: ["de"] });
    const { code, stderr } = await cli(["plan", "shop.py"]);
    expect(code).toBe(2);
    expect(stderr).toContain("values.local.json.region");
  });

  it("a JSON file names values in strings and by $value, with a default", async () => {
    await put("shop.json", {
      client: { base_url: "https://{values.region}.example.com" },
      resources: [
        { name: "orders", endpoint: { params: { size: { $value: "size", default: 50 } } } },
      ],
    });
    const { stdout } = await cli(["plan", "shop.json", "--json", "--set", "region=de"]);
    expect(stdout).toContain("https://de.example.com/orders?size=50");
  });

  it("a worker puts the stage's values into its sources, and refuses a missing one", () => {
    const source = rest_api_source({
      client: { base_url: `https://${dlt.config["region"]}.example.com` },
      resources: [{ name: "orders", endpoint: { params: { size: value("size", 50) } } }],
    });
    expect(fillSources({ shop: source }, { region: "de" })["shop"]?.config).toEqual({
      client: { base_url: "https://de.example.com" },
      resources: [{ name: "orders", endpoint: { params: { size: 50 } } }],
    });
    expect(() => fillSources({ shop: source }, {})).toThrow(`the value "region" is not set`);
  });
});
