/**
 * What is drawn, in one place. A feature whose rule the engine does not keep yet is switched off
 * here, and is a known gap until it is switched on. `docs/reliability.md` names those by hand.
 */
export const drawn = {
  /** `page_number` and offsets below limit 10 are asked for early by default, while rows come in. */
  earlyNumberedPages: true,
  /** Rows go while numbered pages are read, and totals tell of it: the engine reads again. */
  driftRepair: true,
  /** Behind numbered pages a row goes only if two whole reads have not seen it. */
  twoReads: true,
  /** A total that is named on the first page only, while rows come in. */
  totalsOnce: true,
  /** Behind the last page of a counted list the API answers 404. */
  endIsNotFound: true,
  /** The paginator is left to be found out from the first answer. */
  detectedPaging: true,
  /** An empty list is `null`. */
  nullLists: true,
  /** A backfill in steps whose `range_start` is open, or `range_end` closed. */
  openSteps: true,
  /** A backfill of dates in steps of half a day. */
  halfDaySteps: true,
  /** A cursor of RFC 1123 dates. */
  rfcDates: true,
  /** A cursor of naive local times, of an API east or west of UTC. */
  naiveTimes: true,
  /** Below an incremental ancestor, a cursor that is not `per_parent`: to be refused. */
  cursorBelowCursor: true,
  /** A `per_parent` resource that has children itself: to be refused, or read whole for them. */
  perParentWithChildren: true,
  /** A child that replaces below an ancestor with a range that its rows do not tell: to be refused. */
  hiddenRanges: true,
  /** Fan-outs whose ids were added to a read that fails or is given up have an end in the history. */
  fanOutsEnd: true,
  /** A replace could not sweep, and the next one goes by its fingerprints. */
  unsweptLogs: true,
  /** A worker dies between the last line of its history and giving back its lease. */
  diesBeforeRelease: true,
  /** A second delivery that fails before it has looked at the state does not end the run. */
  earlyFailures: true,
  /** Ranges of epoch numbers in a column that is declared a timestamp. */
  epochRanges: true,
  /** A worker that has ended waits for the reads of the state that it has begun. */
  endsWithItsReads: true,
  /** A child whose sweep is refused does not keep its own children from reading what it has read. */
  refusalsSpareChildren: true,
  /** An ordinary event of a child that goes on with another one's run has an end in the history. */
  childEventsEnd: true,
  /** `Retry-After` of days, which closes a source until somebody runs it by hand. */
  daysOfWaiting: true,
};

export type Switch = keyof typeof drawn;
