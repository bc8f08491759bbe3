import { rest_api_source, type SourceOptions } from "@tidetable/core";
import { planSource } from "@tidetable/core/plan";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Session } from "../../../packages/cli/src/base/session-type.ts";
import { openSession, prepareSession } from "../../../packages/cli/src/session/session.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";

let engine: Engine;
let session: Session;
beforeAll(async () => {
  engine = await startDynamodb();
  session = await openSession({ data: "unused", dynamodb: engine.endpoint });
});
afterAll(async () => {
  await session.close();
  await engine.close();
});

/** Prepares a run of `crm` and returns the warnings. */
async function prepareCrm(options: SourceOptions): Promise<string[]> {
  const warned: string[] = [];
  const quiet = () => {};
  const log = {
    debug: quiet,
    info: quiet,
    error: quiet,
    warn: (line: string) => warned.push(line),
  };
  const source = rest_api_source(
    { client: { base_url: "https://api.example.com" }, resources: ["deals"] },
    options,
  );
  await prepareSession(session, [planSource(source, "crm")], log);
  return warned;
}

it("a table that is older than its index keeps working, with a warning that says how to get the index", async () => {
  const oneIndex = { by_stage: { hash: "stage" } };
  const twoIndexes = { ...oneIndex, by_owner: { hash: "owner" } };
  expect(await prepareCrm({ table: { indexes: oneIndex } })).toEqual([]);
  expect(await prepareCrm({ table: { indexes: oneIndex } })).toEqual([]);
  expect(await prepareCrm({ table: { indexes: twoIndexes } })).toEqual([
    "the table tidetable-local-crm.deals was created without the index by_owner: `npx --no tidetable reset crm/deals --tables` creates it again",
  ]);
  expect(await prepareCrm({})).toEqual([]);
});
