import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { declared, grantedAllTheSame } from "./support/permissions.ts";

// What `stacks/permissions.ts` declares, as text. iam.test.ts holds the functions against it.

const statements = Object.values(declared).flat();

describe("a role", () => {
  it("names every action in full", () => {
    for (const action of statements.flatMap(({ Action }) => Action)) {
      expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
    }
  });

  it("names every resource in full, but for what nobody can know before", () => {
    const withWildcard = statements.flatMap(({ Sid, Resource }) =>
      Resource.filter((one) => /[*?]/.test(one)).map((one) => `${Sid} ${one}`),
    );
    expect(withWildcard).toEqual([
      // The one prefix: 200 tables would not fit.
      "ItsTables arn:aws:dynamodb:<region>:<account>:table/tidetable-<stage>-<source>.*",
      "ItsSecret arn:aws:secretsmanager:<region>:<account>:secret:tidetable/<stage>/<source>-??????",
      "ItsRefreshToken arn:aws:secretsmanager:<region>:<account>:secret:tidetable/<stage>/<source>-??????",
      "ItsLogs arn:aws:logs:<region>:<account>:log-group:/aws/lambda/tidetable-<stage>-worker-<source>:*",
      // EC2 knows no names for what does not exist yet. A source without a `vpc` has neither.
      "NetworkInterfaces *",
      "NoNetworkInterfacesFromItsCode *",
      "ItsLogs arn:aws:logs:<region>:<account>:log-group:/aws/lambda/tidetable-<stage>-schedule:*",
    ]);
  });

  it("has under a condition on keys only actions that name keys", () => {
    const keyed = ["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem"];
    const known = [...keyed, "Query", "UpdateItem"].map((name) => `dynamodb:${name}`);
    const guarded = statements.filter(({ Condition }) => Condition?.["ForAllValues:StringLike"]);
    expect(guarded.map(({ Sid }) => Sid)).toEqual(["ItsPartOfTheState"]);
    for (const { Action } of guarded) expect(known).toEqual(expect.arrayContaining(Action));
  });

  it("has each statement once, under a name", () => {
    for (const role of Object.values(declared)) {
      const names = role.map(({ Sid }) => Sid);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(name).toMatch(/^[A-Za-z]+$/);
    }
  });
});

const page = readFileSync(new URL("../docs/permissions.md", import.meta.url), "utf8");

/** The rows of the tables in one section, without their heads. */
function tables(heading: string): string[][][] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const [text = ""] = section.split("\n## ");
  return text
    .split("\n\n")
    .filter((block) => block.startsWith("|"))
    .map((block) => block.trim().split("\n").slice(2))
    .map((rows) =>
      rows.map((row) =>
        row
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
    );
}

const code = (text: string) => `\`${text}\``;

describe.each([
  ["The worker of a source", declared.worker],
  ["The schedule function", declared.schedule],
])("docs/permissions.md: %s", (heading, role) => {
  const [onWhat = [], whatFor = []] = tables(heading);

  it("has every statement, with its resources and its condition", () => {
    expect(onWhat).toEqual(
      role.map(({ Sid, Effect, Resource, Condition = {} }) => [
        `${Sid}${Effect === "Deny" ? " (denies)" : ""}`,
        Resource.map(code).join(", "),
        Object.entries(Condition)
          .flatMap(([operator, keys]) =>
            Object.entries(keys).map(([key, values]) =>
              code(`${operator} ${key} ${values.join(", ")}`),
            ),
          )
          .join(", "),
      ]),
    );
  });

  it("has every action, and what it is for", () => {
    const actions = role.flatMap(({ Sid, Action }) => Action.map((action) => [Sid, code(action)]));
    expect(whatFor.map(([sid, action]) => [sid, action])).toEqual(actions);
    for (const [, , reason] of whatFor) expect(reason).toMatch(/\w/);
  });

  it("says of what no code uses why it is granted", () => {
    for (const [sid, action = "", reason] of whatFor) {
      const known = grantedAllTheSame[`${sid} ${action.replaceAll("`", "")}`];
      if (known) expect(reason).toBe(known);
    }
  });
});

it("what is granted all the same is granted", () => {
  const known = statements.flatMap(({ Sid, Action }) => Action.map((one) => `${Sid} ${one}`));
  expect(known).toEqual(expect.arrayContaining(Object.keys(grantedAllTheSame)));
});
