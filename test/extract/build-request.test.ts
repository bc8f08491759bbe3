import { describe, expect, test } from "vitest";
import { buildHttpRequest } from "../../packages/core/src/extract/build-request.ts";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { testResource } from "./fixtures.ts";

const plan = fillRequest(testResource("https://api.example.com").request, () => undefined);

describe("the request for a page", () => {
  test("has the page's params over the resource's", () => {
    const params = { status: "open", limit: 5, tags: ["a b", "c"], closed: false, note: "" };
    const { url } = buildHttpRequest({ ...plan, params }, { params: { limit: 100, offset: 0 } });
    expect(url).toBe(
      "https://api.example.com/v1/tickets?status=open&limit=100&tags=a+b&tags=c&closed=false&note=&offset=0",
    );
  });

  test("keeps a query that the path brings", () => {
    const { url } = buildHttpRequest({ ...plan, url: `${plan.url}?x=1`, params: { y: 2 } }, {});
    expect(url).toBe("https://api.example.com/v1/tickets?x=1&y=2");
  });

  test("is the page's own URL where it has one, without the resource's params", () => {
    const next = "https://api.example.com/v1/tickets?cursor=abc";
    expect(buildHttpRequest({ ...plan, params: { y: 2 } }, { url: next }).url).toBe(next);
  });

  test("has a JSON body with the page's values at their paths", () => {
    const json = { filter: { state: "open" }, limit: 1 };
    const page = { body: { "page.size": 100, "filter.after": "x", limit: 2 } };
    const request = buildHttpRequest({ ...plan, method: "POST", json }, page);
    expect(JSON.parse(request.body ?? "")).toEqual({
      filter: { state: "open", after: "x" },
      limit: 2,
      page: { size: 100 },
    });
    expect(request.headers["content-type"]).toBe("application/json");
    expect(json).toEqual({ filter: { state: "open" }, limit: 1 });
  });

  test("has an empty JSON body where the config has one", () => {
    expect(buildHttpRequest({ ...plan, json: {} }, {}).body).toBe("{}");
  });

  test("has a form, or a raw body without a type", () => {
    const form = buildHttpRequest(
      {
        ...plan,
        data: [
          ["a", "1"],
          ["a", "ü"],
        ],
      },
      {},
    );
    expect(form.body).toBe("a=1&a=%C3%BC");
    expect(form.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    const raw = buildHttpRequest({ ...plan, data: "<x/>" }, {});
    expect([raw.body, raw.headers]).toEqual(["<x/>", {}]);
  });

  test("has the config's headers, whatever their case, over the usual ones", () => {
    const headers: [string, string][] = [
      ["Content-Type", "application/vnd.api+json"],
      ["X-Team", "a"],
    ];
    expect(buildHttpRequest({ ...plan, json: {}, headers }, {}).headers).toEqual({
      "content-type": "application/vnd.api+json",
      "x-team": "a",
    });
  });

  test("a next link has the resource's params already", () => {
    const next = "https://api.example.com/v1/tickets?cursor=abc&since=a";
    expect(buildHttpRequest({ ...plan, params: { since: "a" } }, { url: next }).url).toBe(next);
  });
});
