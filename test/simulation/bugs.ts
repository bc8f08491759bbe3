import type { Bug } from "./bug.ts";
import { bugsOfParts } from "./bugs-of-parts.ts";
import { modelBugs } from "./bugs-of-the-model.ts";

export type { Bug } from "./bug.ts";

/** Each of them is planted in a copy of the engine, and the simulation has to notice it. */
export const bugs: readonly Bug[] = [...bugsOfParts, ...modelBugs];
