import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { offsetPages, openApi } from "../support/api.ts";
import { bundled, ids, numbers, openStage, rows } from "./support.ts";

const bundles = bundled();

it("a worker that is killed in the middle of a page loses nothing, because the next slice continues (P3)", async () => {
  let batches = 0;
  const { url } = await openApi(offsetPages(rows(1000)));
  const stage = await openStage({
    bundles,
    origins: { ticketing: url },
    // Less than what a request to DynamoDB is waited for: a hanging one is Lambda's to end.
    workerTimeoutMs: 4_500,
    trouble({ operation }) {
      if (operation !== "BatchWriteItem") return undefined;
      batches += 1;
      // Of the third page, of which one is through.
      return batches === 10 ? { kind: "hold", until: wait(10_000) } : undefined;
    },
  });
  const { reports } = await stage.run();
  expect(reports).toMatchObject([{ status: "done", records: 1000 }]);
  expect(reports[0]?.slices).toBeGreaterThanOrEqual(2);
  expect(ids(await stage.items("ticketing", "tickets"))).toEqual(numbers(1000));
});
