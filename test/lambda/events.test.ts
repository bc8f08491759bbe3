import { expect, it } from "vitest";
import { offsetPages, openApi } from "../support/api.ts";
import { buildBundles, createRows, openStage } from "./support.ts";

const bundles = buildBundles();

it("a long Retry-After ends the slice without keeping a process busy, and the tick continues afterwards (P12)", async () => {
  const seen: number[] = [];
  const { url } = await openApi((request, response) => {
    seen.push(Date.now());
    if (seen.length === 3) return { status: 429, headers: { "retry-after": "12" } };
    return offsetPages(createRows(450))(request, response);
  });
  const stage = await openStage({
    bundles,
    origins: { ticketing: url },
    // The wait does not fit in.
    workerTimeoutMs: 10_000,
  });
  const run = stage.run();
  await expect.poll(() => seen.length, { timeout: 30_000 }).toBe(3);
  await stage.lambda.waitUntilIdle();
  const quietAt = Date.now();
  const { reports } = await run;
  expect(reports).toMatchObject([{ status: "done", records: 450, slices: 2 }]);
  const [, , refused = 0, next = 0] = seen;
  expect(quietAt - refused).toBeLessThan(12_000);
  expect(next - refused).toBeGreaterThanOrEqual(12_000);
  expect(await stage.items("ticketing", "tickets")).toHaveLength(450);
});

it("events that arrive twice are one run, and leave the same table (P7)", async () => {
  const { url } = await openApi(offsetPages(createRows(450)));
  const stage = await openStage({
    bundles,
    origins: { ticketing: url },
    duplicate: () => true,
  });
  const { runId, reports } = await stage.run();
  expect(reports).toMatchObject([{ run_id: runId, status: "done", records: 450 }]);
  expect(await stage.items("ticketing", "tickets")).toHaveLength(450);
  const history = (await stage.state()).filter(({ sk }) => sk?.S?.startsWith("run#"));
  expect(history.map(({ sk, status }) => [sk?.S, status?.S])).toEqual([[`run#${runId}`, "done"]]);
  expect(stage.lambda.failures).toEqual([]);
});
