import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { declaredStatements, reasonsForUnneededActions } from "./support/permissions.ts";

// Checks the text of `packages/sst/src/permissions.ts`. iam.test.ts runs the functions under these roles.

const statements = Object.values(declaredStatements).flat();

describe("a role", () => {
  it("a role names every action in full", () => {
    for (const action of statements.flatMap(({ Action }) => Action)) {
      expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
    }
  });

  it("a role names every resource in full, except for names that are not known before a deploy", () => {
    const withWildcard = statements.flatMap(({ Sid, Resource }) =>
      Resource.filter((arn) => /[*?]/.test(arn)).map((arn) => `${Sid} ${arn}`),
    );
    expect(withWildcard).toEqual([
      // A role has no room for the names of 200 tables.
      "ItsTables arn:aws:dynamodb:<region>:<account>:table/tidetable-<stage>-<source>.*",
      "ItsSecret arn:aws:secretsmanager:<region>:<account>:secret:tidetable/<stage>/<source>-??????",
      "ItsRefreshToken arn:aws:secretsmanager:<region>:<account>:secret:tidetable/<stage>/<source>-??????",
      "ItsLogs arn:aws:logs:<region>:<account>:log-group:/aws/lambda/tidetable-<stage>-worker-<source>:*",
      // Network interfaces have no names before they exist. Only a source with a `vpc` has these.
      "NetworkInterfaces *",
      "NoNetworkInterfacesFromItsCode *",
      "ItsLogs arn:aws:logs:<region>:<account>:log-group:/aws/lambda/tidetable-<stage>-schedule:*",
    ]);
  });

  it("every action under a condition on keys is an action that names keys", () => {
    const keyActions = ["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem"];
    const allowedActions = [...keyActions, "Query", "UpdateItem"].map((name) => `dynamodb:${name}`);
    const conditional = statements.filter(
      ({ Condition }) => Condition?.["ForAllValues:StringLike"],
    );
    expect(conditional.map(({ Sid }) => Sid)).toEqual(["ItsPartOfTheState"]);
    for (const { Action } of conditional)
      expect(allowedActions).toEqual(expect.arrayContaining(Action));
  });

  it("a role has each statement once, under a name", () => {
    for (const role of Object.values(declaredStatements)) {
      const names = role.map(({ Sid }) => Sid);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(name).toMatch(/^[A-Za-z]+$/);
    }
  });
});

const page = readFileSync(new URL("../docs/permissions.md", import.meta.url), "utf8");

/** Reads the rows of the tables in a section, without their heads. */
function readTables(heading: string): string[][][] {
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

const inCode = (text: string) => `\`${text}\``;

describe.each([
  ["The worker of a source", declaredStatements.worker],
  ["The schedule function", declaredStatements.schedule],
])("docs/permissions.md: %s", (heading, role) => {
  const [statementRows = [], actionRows = []] = readTables(heading);

  it(`docs/permissions.md lists every statement with resources and condition for: ${heading}`, () => {
    expect(statementRows).toEqual(
      role.map(({ Sid, Effect, Resource, Condition = {} }) => [
        `${Sid}${Effect === "Deny" ? " (denies)" : ""}`,
        Resource.map(inCode).join(", "),
        Object.entries(Condition)
          .flatMap(([operator, keys]) =>
            Object.entries(keys).map(([key, values]) =>
              inCode(`${operator} ${key} ${values.join(", ")}`),
            ),
          )
          .join(", "),
      ]),
    );
  });

  it(`docs/permissions.md lists every action with its purpose for: ${heading}`, () => {
    const actions = role.flatMap(({ Sid, Action }) =>
      Action.map((action) => [Sid, inCode(action)]),
    );
    expect(actionRows.map(([sid, action]) => [sid, action])).toEqual(actions);
    for (const [, , reason] of actionRows) expect(reason).toMatch(/\w/);
  });

  it(`docs/permissions.md gives the reason for actions that no code uses for: ${heading}`, () => {
    for (const [sid, action = "", reason] of actionRows) {
      const unusedReason = reasonsForUnneededActions[`${sid} ${action.replaceAll("`", "")}`];
      if (unusedReason) expect(reason).toBe(unusedReason);
    }
  });
});

it("every unused grant with a documented reason is declared", () => {
  const grants = statements.flatMap(({ Sid, Action }) =>
    Action.map((action) => `${Sid} ${action}`),
  );
  expect(grants).toEqual(expect.arrayContaining(Object.keys(reasonsForUnneededActions)));
});
