import { describe, expect, it } from "vitest";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import { parentValues, spoolRow } from "../../packages/core/src/run/page-records.ts";
import type { JsonObject } from "../../packages/core/src/values/json.ts";

/** The fields that a child's record gets from a record of its parent. */
function addedFields(include_from_parent: string[], record: JsonObject): JsonObject {
  const config = {
    client: { base_url: "https://api.example.com" },
    resources: [
      { name: "users", primary_key: "id" },
      {
        name: "posts",
        primary_key: "id",
        include_from_parent,
        endpoint: { path: "users/{resources.users.id}/posts" },
      },
    ],
  };
  const [parent, child] = planSource(rest_api_source(config), "blog").resources;
  if (!parent || !child) throw new Error("a resource is missing");
  return parentValues(spoolRow({ id: 1, ...record }, parent), child).added;
}

describe("include_from_parent", () => {
  it("include_from_parent takes a field by its name", () => {
    expect(addedFields(["name"], { name: "ada" })).toEqual({ _users_name: "ada" });
    expect(addedFields(["name"], { name: null })).toEqual({ _users_name: null });
  });

  it("include_from_parent follows a path into the record", () => {
    expect(addedFields(["meta.code"], { meta: { code: 7 } })).toEqual({ "_users_meta.code": 7 });
    expect(addedFields(["tags[0]"], { tags: ["a", "b"] })).toEqual({ "_users_tags[0]": "a" });
  });

  it("include_from_parent prefers a field whose own name has the dot", () => {
    const record = { "meta.code": 1, meta: { code: 2 } };
    expect(addedFields(["meta.code"], record)).toEqual({ "_users_meta.code": 1 });
  });

  it("include_from_parent takes a field whose name is no path", () => {
    expect(addedFields(["first name", "a.(b)"], { "first name": "ada", "a.(b)": 1 })).toEqual({
      "_users_first name": "ada",
      "_users_a.(b)": 1,
    });
  });

  it("a parent record without the field is an error that names the field", () => {
    expect(() => addedFields(["meta.code"], { meta: {} })).toThrow(
      expect.objectContaining({
        code: "extract.parent_field",
        message: 'a record of users has nothing at "meta.code"',
      }),
    );
  });
});
