import type { Log, ResourceReport } from "@tidetable/core/internal";
import type { SourcePlan } from "@tidetable/core/plan";
import type { Session } from "../base/session-type.ts";

/** An event of the schedule function, as `run` and `check` send it. */
export interface RunEvent {
  source: string;
  resources?: string[];
  limit_pages?: number;
  full_refresh?: true;
  /** The source's name once more. A full refresh needs it. */
  confirm?: string;
}

export interface RunOutcome {
  runId: string;
  /** The last report of each resource. */
  reports: ResourceReport[];
}

/** Runs sources: in this process, in local Lambda functions, or in a stage. */
export interface Runner {
  plans: SourcePlan[];
  session: Session;
  run(events: RunEvent[], log: Log, signal: AbortSignal): Promise<RunOutcome>;
  /** Reads a page of each resource, without writing. */
  check(events: RunEvent[], log: Log, signal: AbortSignal): Promise<RunOutcome>;
  close(): Promise<void>;
}
