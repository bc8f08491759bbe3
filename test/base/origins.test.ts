import { describe, expect, test } from "vitest";
import { mapOrigins, routeUrl } from "../../packages/core/src/base/origins.ts";

const baseUrl = "https://api.example.com/v1";
const override = "http://127.0.0.1:4010";

describe("the map of origins in local mode", () => {
  test.each([
    "http://127.0.0.1:8000",
    "http://localhost:8000",
    "http://[::1]:8000",
    "http://127.1.2.3",
  ])("an origin override is accepted if DynamoDB is on this machine: %s", (dynamodbEndpoint) => {
    const map = mapOrigins({ baseUrl, override, dynamodbEndpoint });
    expect([...map]).toEqual([["https://api.example.com", override]]);
  });

  test.each([
    undefined,
    "",
    "nonsense",
    "https://dynamodb.eu-west-1.amazonaws.com",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1@evil.example",
    "http://localhost.evil.example",
  ])("an origin override is refused if DynamoDB is elsewhere: %s", (dynamodbEndpoint) => {
    expect(() => mapOrigins({ baseUrl, override, dynamodbEndpoint })).toThrow(
      expect.objectContaining({ code: "config.origin" }),
    );
  });

  test("without an override the map of origins is empty, wherever DynamoDB is", () => {
    const dynamodbEndpoint = "https://dynamodb.eu-west-1.amazonaws.com";
    expect(mapOrigins({ baseUrl, override: undefined, dynamodbEndpoint }).size).toBe(0);
  });

  test("an origin override that is no URL is refused", () => {
    const dynamodbEndpoint = "http://127.0.0.1:8000";
    expect(() => mapOrigins({ baseUrl, override: "127.0.0.1:4010", dynamodbEndpoint })).toThrow(
      "an origin override is not a URL",
    );
  });
});

test("a URL whose origin is replaced keeps path and query, and other origins stay", () => {
  const map = new Map([["https://api.example.com", override]]);
  expect(routeUrl("https://api.example.com/v1/a%2Fb?x=1&y=%26", map).href).toBe(
    "http://127.0.0.1:4010/v1/a%2Fb?x=1&y=%26",
  );
  expect(routeUrl("https://api.example.com//evil.example/x", map).origin).toBe(override);
  expect(routeUrl("https://other.example/v1", map).href).toBe("https://other.example/v1");
});
