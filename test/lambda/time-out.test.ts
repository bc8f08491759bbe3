import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { offsetPages, openApi } from "../support/api.ts";
import { buildBundles, createRows, numbersBelow, openStage, sortedIds } from "./support.ts";

const bundles = buildBundles();

it("a worker that is killed in the middle of a page loses nothing, because the next slice continues (P3)", async () => {
  let batches = 0;
  const { url } = await openApi(offsetPages(createRows(1000)));
  const stage = await openStage({
    bundles,
    origins: { ticketing: url },
    // The time-out is shorter than the client's, and Lambda ends a hanging request.
    workerTimeoutMs: 4_500,
    hangingFault({ operation }) {
      if (operation !== "BatchWriteItem") return undefined;
      batches += 1;
      // One batch of the third page has succeeded.
      return batches === 10 ? { kind: "hold", until: wait(10_000) } : undefined;
    },
  });
  const { reports } = await stage.run();
  expect(reports).toMatchObject([{ status: "done", records: 1000 }]);
  expect(reports[0]?.slices).toBeGreaterThanOrEqual(2);
  expect(sortedIds(await stage.items("ticketing", "tickets"))).toEqual(numbersBelow(1000));
});
