import type { Change } from "../dynamodb.ts";
import type { Stage } from "../stage.ts";
import type { Slot } from "./subject.ts";

/** An event of a worker, from its first sending on. */
export interface SentEvent {
  resource: string;
  slot: Slot;
  id: string;
  isRefresh: boolean;
  sentAt: number;
  /** When a refresh was first sent under this name; undefined: none was. */
  refreshSentAt: number | undefined;
  /** A worker has answered it: from then on its end has to be in the history. */
  isAccepted: boolean;
}

type Line = { status: string; code: string };

/** Follows each event to its end in the history. */
export class EventWatch {
  readonly #stage: Stage;
  readonly #sent = new Map<string, SentEvent>();
  readonly #history = new Map<string, Line>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  sent(event: Pick<SentEvent, "resource" | "slot" | "id" | "isRefresh">): void {
    const now = this.#stage.time.now();
    const refreshSentAt = event.isRefresh ? now : undefined;
    const sent = this.#sent.get(nameOf(event));
    if (sent) sent.refreshSentAt ??= refreshSentAt;
    else this.#sent.set(nameOf(event), { ...event, sentAt: now, refreshSentAt, isAccepted: false });
  }

  /** When the refresh of this name was asked for. */
  refreshSentAt(event: Pick<SentEvent, "resource" | "slot" | "id">): number | undefined {
    return this.#sent.get(nameOf(event))?.refreshSentAt;
  }

  accepted(event: Pick<SentEvent, "resource" | "slot" | "id">): void {
    const sent = this.#sent.get(nameOf(event));
    if (sent) sent.isAccepted = true;
  }

  /** A reset has forgotten the open run of a resource, and with it the events that it answered. */
  forgotten(resource: string): void {
    for (const event of this.#sent.values()) {
      if (event.resource === resource) event.isAccepted = false;
    }
  }

  /** A line of the history. Returns the event that has come to its end by it, the first time. */
  line(resource: string, sortKey: string, { after }: Change): SentEvent | undefined {
    if (!after) return undefined;
    const [kind, ...rest] = sortKey.split("#");
    const slot: Slot = kind === "run" ? "own" : "for_children";
    const name = nameOf({ resource, slot, id: rest.join("#") });
    const before = this.#history.get(name);
    const status = after.status?.S ?? "";
    this.#history.set(name, { status, code: after.error_code?.S ?? "" });
    const hasEnded = status === "done" && before?.status !== "done";
    return hasEnded ? this.#sent.get(name) : undefined;
  }

  ended(event: Pick<SentEvent, "resource" | "slot" | "id">): Line | undefined {
    return this.#history.get(nameOf(event));
  }

  /** Events that a worker has answered, and whose end nobody was told. */
  unended(): SentEvent[] {
    return [...this.#sent.values()].filter(
      (event) =>
        event.isAccepted &&
        event.slot !== "sample" &&
        !["done", "failed", "skipped"].includes(this.ended(event)?.status ?? ""),
    );
  }

  all(): SentEvent[] {
    return [...this.#sent.values()];
  }
}

const nameOf = ({ resource, slot, id }: Pick<SentEvent, "resource" | "slot" | "id">): string =>
  `${resource} ${slot} ${id}`;
