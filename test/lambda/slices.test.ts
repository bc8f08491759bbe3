import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { type Handler, offsetPages, openApi } from "../support/api.ts";
import { bundled, ids, numbers, openStage, rows } from "./support.ts";

const bundles = bundled();

it("a run that takes longer than its workers may live continues slice after slice", async () => {
  const records = rows(1200);
  const slow: Handler = async (request, response) => {
    await wait(1_000);
    return offsetPages(records)(request, response);
  };
  const { url, requests } = await openApi(slow);
  // 5 seconds are 4 to read in: three pages, since the next might take twice as long.
  const stage = await openStage({
    bundles,
    origins: { ticketing: url },
    workerTimeoutMs: 5_000,
  });
  const { reports } = await stage.run();
  expect(reports).toMatchObject([{ status: "done", records: 1200, written: 1200 }]);
  expect(reports[0]?.slices).toBeGreaterThanOrEqual(5);
  expect(ids(await stage.items("ticketing", "tickets"))).toEqual(numbers(1200));
  // Between slices nothing is read twice.
  const offsets = requests.map(({ query }) => Number(query.get("offset")));
  expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
  expect(stage.lambda.failures).toEqual([]);
});
