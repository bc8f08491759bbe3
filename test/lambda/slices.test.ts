import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { type Handler, offsetPages, openApi } from "../support/api.ts";
import { buildBundles, createRows, numbersBelow, openStage, sortedIds } from "./support.ts";

const bundles = buildBundles();

it("a run that takes longer than its workers may live continues slice after slice", async () => {
  const records = createRows(1200);
  const slowPages: Handler = async (request, response) => {
    await wait(1_000);
    return offsetPages(records)(request, response);
  };
  const { url, requests } = await openApi(slowPages);
  // 5 seconds are 4 to read in: three pages, since the next might take twice as long.
  const stage = await openStage({
    bundles,
    origins: { ticketing: url },
    workerTimeoutMs: 5_000,
  });
  const { reports } = await stage.run();
  expect(reports).toMatchObject([{ status: "done", records: 1200, written: 1200 }]);
  expect(reports[0]?.slices).toBeGreaterThanOrEqual(5);
  expect(sortedIds(await stage.items("ticketing", "tickets"))).toEqual(numbersBelow(1200));
  // No page is read twice between slices.
  const offsets = requests.map(({ query }) => Number(query.get("offset")));
  expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
  expect(stage.lambda.failures).toEqual([]);
});
