import { describe, expect, it } from "vitest";
import { changedText } from "../../../packages/cli/src/starter/project-files.ts";
import { sourcesText } from "../../../packages/cli/src/starter/project-texts.ts";
import { withRegistered } from "../../../packages/cli/src/starter/registration.ts";

describe("registering a source", () => {
  it("the first source and the next are imported and registered", () => {
    const first = withRegistered(sourcesText, "crm") as string;
    expect(withRegistered(first, "shop")).toBe(`import { register } from "@tidetable/core";
import crm from "./crm.js";
import shop from "./shop.js";

/** The sources of this app, by name. */
export const sources = register({ crm, shop });
`);
  });

  it("a source that is registered already changes nothing", () => {
    const text = withRegistered(sourcesText, "crm") as string;
    expect(withRegistered(text, "crm")).toBe(text);
  });

  it("names on several lines are kept", () => {
    const text =
      "import { register } from 'x';\nexport const sources = register({\n  a,\n  b,\n});\n";
    expect(withRegistered(text, "c")).toContain("register({ a, b, c })");
  });

  it.each([
    "export const sources = register({ ...others });",
    "export const sources = register({ crm: makeCrm() });",
    "export default {};",
  ])("a file of another shape is left to its author: %s", (text) => {
    expect(withRegistered(text, "shop")).toBeUndefined();
  });
});

describe("a change of a file", () => {
  it("a file that is there is not replaced", () => {
    const change = { kind: "file", path: "a", text: "new" } as const;
    expect(changedText(change, undefined)).toBe("new");
    expect(changedText(change, "")).toBeUndefined();
  });

  it("only missing lines are added, and a slash at their end makes no difference", () => {
    const change = { kind: "lines", path: ".gitignore", lines: ["node_modules", ".sst"] } as const;
    expect(changedText(change, "node_modules/\ndist")).toBe("node_modules/\ndist\n.sst\n");
    expect(changedText(change, ".sst\r\nnode_modules\r\n")).toBeUndefined();
  });

  it("a section is added once, also after its text was edited", () => {
    const change = { kind: "section", path: "AGENTS.md", text: "# new\n" } as const;
    const text = changedText(change, "# mine") as string;
    expect(text).toBe("# mine\n\n<!-- tidetable -->\n# new\n<!-- /tidetable -->\n");
    expect(changedText(change, text.replace("# new", "# edited"))).toBeUndefined();
  });
});
