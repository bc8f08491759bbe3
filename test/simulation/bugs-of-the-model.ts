import type { Bug } from "./bug.ts";

const removed = "";

/** Of the model of a run: what is read for whom, what may go, what rows are named by. */
export const modelBugs: readonly Bug[] = [
  {
    name: "a sweep does not look at coverage",
    promise: "P19",
    marker: "sweep-looks-at-coverage",
    replacement: removed,
  },
  {
    name: "a full refresh reads changes only, and sweeps",
    promise: "P19",
    marker: "refresh-reads-everything",
    replacement: "runRequest.replaces || !runRequest.startFor",
  },
  {
    name: "a refresh of a child goes by its cursors, and sweeps",
    promise: "P19",
    marker: "refresh-of-parent-cursors",
    replacement: removed,
  },
  {
    name: "a refresh deletes rows out of the range that was read",
    promise: "P19",
    marker: "rows-out-of-range-stay",
    replacement: "isInRange: (row) => Object.keys(row).length > 0",
  },
  {
    name: "a read starts at its own cursor, whatever its children have been served",
    promise: "P19",
    marker: "a-read-goes-back",
    replacement:
      "return isForChildren || !resource.selected ? others.reduce((least, start) => (isFurtherBack(start, least) ? start : least), first) : ownCursor;",
  },
  {
    name: "what a child has been served moves when its run fails",
    promise: "P19",
    marker: "served-stays-when-a-run-fails",
    replacement: "served: stateAfterSuccess(state, resource, 0).served, ...end.changes",
  },
  {
    name: "nobody goes back for a child that has failed",
    promise: "P19",
    marker: "failed-children-are-gone-back-for",
    replacement: "if (runs > 0) return false;",
  },
  {
    name: "a child reads an epoch that does not go back to where it was served",
    promise: "P19",
    marker: "an-epoch-goes-back-far-enough",
    replacement: removed,
  },
  {
    name: "a child reads any epoch that is there",
    promise: "P19",
    marker: "epoch-of-its-fan-out",
    replacement: "if (epoch) return epoch.plan_hash === planHash ? epoch : undefined;",
  },
  {
    name: "a child goes back to an older epoch",
    promise: "P19",
    marker: "epochs-go-forward",
    replacement: "consumed && consumed.ended_at === epoch.began_at && isOlder(epoch, consumed)",
  },
  {
    name: "reading for children shares the resource's slot",
    promise: "P19",
    marker: "slot-of-reads-for-children",
    replacement: `this.#slot = "own";
    this.#isStored = resource.selected && order.forChildren !== true;`,
  },
  {
    name: "no tick goes on with a read for children",
    promise: "P20",
    marker: "ticks-of-reads-for-children",
    replacement: "return [own];",
  },
  {
    name: "a wish is forgotten",
    promise: "P19",
    marker: "wishes-are-stored",
    replacement: "return true;",
  },
  {
    name: "a refresh of the same minute is the same fan-out",
    promise: "P19",
    marker: "kind-of-a-fan-out",
    replacement: "[]",
  },
  {
    name: "a sample moves the cursor",
    promise: "P19",
    marker: "samples-move-nothing",
    replacement: `const now = this.#world.clock.now();
    const sampled = stateAfterSuccess(read, this.#resource, now);
    await lease.release({ status: "done", body: sampled });`,
  },
  {
    name: "rows that are replaced are named by their read",
    promise: "P19",
    marker: "names-of-replaced-rows",
    replacement: "[readId]",
  },
  {
    name: "versions that are appended are named by their cursor alone",
    promise: "P19",
    marker: "names-of-versions",
    replacement: "return [findValue(record, cursor) ?? key.map(valueText)];",
  },
  {
    name: "records of changes are appended anew by each read",
    promise: "P19",
    marker: "archives-of-records",
    replacement: "isAppend",
  },
  {
    name: "a failed read and its successor append twice",
    promise: "P19",
    marker: "read-id-is-handed-on",
    replacement: "newReadId()",
  },
  {
    name: "a refresh of an archive waits for a sweep",
    promise: "P19",
    marker: "refresh-of-an-archive",
    replacement: "isStored",
  },
  {
    name: "the guard counts changed rows without a key as gone",
    promise: "P4",
    marker: "guard-without-a-key",
    replacement: "undefined",
  },
  {
    name: "a row that is inserted once is replaced",
    promise: "P19",
    marker: "rows-stay-as-they-are",
    replacement: `"attribute_not_exists(#key) OR attribute_exists(#key)"`,
  },
  {
    name: "a backfill asks for its first window for ever",
    promise: "P20",
    marker: "windows-move-on",
    replacement: removed,
  },
  {
    name: "two pages with the same keys are a loop",
    promise: "P11",
    marker: "loops-by-content",
    replacement:
      "keys !== null && keys === guard.keys ? (guard = { ...guard, times: TIMES }) !== null : false",
  },
  {
    name: "an odd record of the parent fails the child",
    promise: "P19",
    marker: "odd-parents-are-set-aside",
    replacement: `if (!isUnusable(error) || onMissing !== "skip") throw error;`,
  },
  {
    name: "a read that set parents aside sweeps",
    promise: "P4",
    marker: "parents-aside-keep-from-sweeping",
    replacement: "this.#state = { ...this.#state, ...row.stateAfter };",
  },
  {
    name: "one answer 'not found' means that the parent is gone",
    promise: "P19",
    marker: "second-try",
    replacement: "!row.isSecondTry || row.isSecondTry",
  },
  {
    name: "fingerprints depend on the order of members",
    promise: "P1",
    marker: "order-of-members",
    replacement: "parseWireItem(itemText)",
  },
  {
    name: "a run goes on under another config",
    promise: "P6",
    marker: "other-plan",
    replacement: "body.plan_hash === runRequest.cursorPath",
  },
  {
    name: "another table under the same name is taken for the old one",
    promise: "P6",
    marker: "other-table",
    replacement: "body.table_id === runRequest.id",
  },
  {
    name: "behind numbered pages a row goes after one read",
    promise: "P4",
    marker: "two-reads",
    replacement: "needsTwoReads: false",
  },
  {
    name: "an event that ends two runs of others forgets its own",
    promise: "P7",
    marker: "own-run-after-others",
    replacement: "if (run < 2 && MOST_RUNS > 2 && slice.hasEndedOtherRun(report)) continue;",
  },
  {
    name: "a child forgets that its own pages are numbered",
    promise: "P4",
    marker: "own-numbered-pages",
    replacement: "{ is_numbered: this.#state.is_numbered || epoch.is_numbered }",
  },
  {
    name: "rows that were put between two whole reads are forgotten",
    promise: "P4",
    marker: "rows-since-the-last-whole-read",
    replacement: "if (!this.#lastWhole?.since || this.#pending.length >= 0) return;",
  },
  {
    name: "a long log overwrites the one before it",
    promise: "P4",
    marker: "logs-stand-beside",
    replacement: "return free;",
  },
  {
    name: "a log counts as whole although the sweep has kept other rows",
    promise: "P4",
    marker: "a-whole-log-has-all-rows",
    replacement: removed,
  },
  {
    name: "an event that meets a waiting run of another has no end",
    promise: "P7",
    marker: "covered-events-end",
    replacement: removed,
  },
  {
    name: "rows that moved under an offset are not looked for",
    promise: "P14",
    marker: "lost-overlap",
    replacement: `if (match.kind === "lost") {
    const progress = progressAfter(page, memory.largestPage, list);
    const next = { ...memory, ...progress, mode: "overlapping" } as const;
    return { kind: "rows", fresh: records, gained: records.length, memory: next };
  }`,
  },
];
