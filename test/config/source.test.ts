import { dlt, register, rest_api_source, type Source } from "@tidetable/core";
import { isSource, registeredName } from "@tidetable/core/internal";
import { describe, expect, it } from "vitest";
import { Secret } from "../../packages/core/src/secrets/reference.ts";

const config = { client: { base_url: "https://api.example.com" }, resources: ["tickets"] };

describe("rest_api_source", () => {
  it("a source keeps its config and its options unchanged", () => {
    const options = { schedule: "rate(1 hour)" };
    const source = rest_api_source(config, options);
    expect(source.config).toBe(config);
    expect(source.options).toBe(options);
    expect(rest_api_source(config).options).toEqual({});
  });

  it("a source is frozen", () => {
    const source = rest_api_source(config) as { config: unknown };
    expect(() => {
      source.config = {};
    }).toThrow(TypeError);
  });

  it("isSource tells a source from a bare dict and from other values", () => {
    expect(isSource(rest_api_source(config))).toBe(true);
    for (const value of [config, null, undefined, "tickets", []])
      expect(isSource(value)).toBe(false);
  });
});

describe("register", () => {
  it("register names each source by its key", () => {
    const [tickets, deals] = [rest_api_source(config), rest_api_source(config)];
    const sources = { tickets, deals };
    expect(register(sources)).toBe(sources);
    expect(registeredName(tickets)).toBe("tickets");
    expect(registeredName(deals)).toBe("deals");
    expect(registeredName(rest_api_source(config))).toBeUndefined();
  });
});

describe("dlt.secrets", () => {
  it("dlt.secrets gives a reference for every name, dots included", () => {
    expect(dlt.secrets["api_key"]).toBeInstanceOf(Secret);
    expect(dlt.secrets["api_key"]?.name).toBe("api_key");
    expect(dlt.secrets["sources.github.token"]?.name).toBe("sources.github.token");
    expect(dlt.secrets["constructor"]?.name).toBe("constructor");
  });

  it("dlt.secrets can be awaited, iterated over and printed without making a secret", async () => {
    expect(await dlt.secrets).toBe(dlt.secrets);
    expect(Reflect.get(dlt.secrets, Symbol.iterator)).toBeUndefined();
    expect(JSON.stringify(dlt)).toBe('{"secrets":{},"config":{}}');
  });

  it("a printed source hides its secrets", () => {
    const source: Source = rest_api_source({
      ...config,
      client: { ...config.client, auth: { token: dlt.secrets["token"] } },
    });
    expect(JSON.stringify(source)).toContain('"token":"[secret]"');
  });
});
