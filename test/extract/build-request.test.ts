import { describe, expect, test } from "vitest";
import { buildHttpRequest } from "../../packages/core/src/extract/build-request.ts";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { testResource } from "./fixtures.ts";

const filled = fillRequest(testResource("https://api.example.com").request, () => undefined);

describe("the request for a page", () => {
  test("the params of a page replace the resource's params of the same name", () => {
    const params = { status: "open", limit: 5, tags: ["a b", "c"], closed: false, note: "" };
    const { url } = buildHttpRequest({ ...filled, params }, { params: { limit: 100, offset: 0 } });
    expect(url).toBe(
      "https://api.example.com/v1/tickets?status=open&limit=100&tags=a+b&tags=c&closed=false&note=&offset=0",
    );
  });

  test("the request for a page keeps the query of its path", () => {
    const { url } = buildHttpRequest({ ...filled, url: `${filled.url}?x=1`, params: { y: 2 } }, {});
    expect(url).toBe("https://api.example.com/v1/tickets?x=1&y=2");
  });

  test("a page with a URL of its own is asked for there, without the resource's params", () => {
    const next = "https://api.example.com/v1/tickets?cursor=abc";
    expect(buildHttpRequest({ ...filled, params: { y: 2 } }, { url: next }).url).toBe(next);
  });

  test("a JSON body has the page's values at their paths", () => {
    const json = { filter: { state: "open" }, limit: 1 };
    const page = { body: { "page.size": 100, "filter.after": "x", limit: 2 } };
    const request = buildHttpRequest({ ...filled, method: "POST", json }, page);
    expect(JSON.parse(request.body ?? "")).toEqual({
      filter: { state: "open", after: "x" },
      limit: 2,
      page: { size: 100 },
    });
    expect(request.headers["content-type"]).toBe("application/json");
    expect(json).toEqual({ filter: { state: "open" }, limit: 1 });
  });

  test("an empty JSON body of the config is sent", () => {
    expect(buildHttpRequest({ ...filled, json: {} }, {}).body).toBe("{}");
  });

  test("a form has its content type, and a raw body has none", () => {
    const form = buildHttpRequest(
      {
        ...filled,
        data: [
          ["a", "1"],
          ["a", "ü"],
        ],
      },
      {},
    );
    expect(form.body).toBe("a=1&a=%C3%BC");
    expect(form.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    const raw = buildHttpRequest({ ...filled, data: "<x/>" }, {});
    expect([raw.body, raw.headers]).toEqual(["<x/>", {}]);
  });

  test("the config's headers replace the usual ones, whatever their case", () => {
    const headers: [string, string][] = [
      ["Content-Type", "application/vnd.api+json"],
      ["X-Team", "a"],
    ];
    expect(buildHttpRequest({ ...filled, json: {}, headers }, {}).headers).toEqual({
      "content-type": "application/vnd.api+json",
      "x-team": "a",
    });
  });

  test("the resource's params are not added to a next link, which has them already", () => {
    const next = "https://api.example.com/v1/tickets?cursor=abc&since=a";
    expect(buildHttpRequest({ ...filled, params: { since: "a" } }, { url: next }).url).toBe(next);
  });
});
