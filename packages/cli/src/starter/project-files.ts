import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A change of a file that `init` makes; each leaves alone what is there already. */
type Change =
  /** Written only where no file of this name is. */
  | { kind: "file"; path: string; text: string }
  /** Lines that are added at the end, those that are missing. */
  | { kind: "lines"; path: string; lines: readonly string[] }
  /** A part between two marker comments, which is added once. */
  | { kind: "section"; path: string; text: string };

export type WrittenFile = { path: string; action: "written" | "extended" | "kept" };

const beginMark = "<!-- tidetable -->";
const endMark = "<!-- /tidetable -->";

/** Makes the changes below a folder, and tells what became of each file. */
export const applyChanges = (folder: string, changes: readonly Change[]): WrittenFile[] =>
  changes.map((change) => ({ path: change.path, action: applyChange(folder, change) }));

function applyChange(folder: string, change: Change): WrittenFile["action"] {
  const path = join(folder, change.path);
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const after = changedText(change, before);
  if (after === undefined) return "kept";
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, after);
  return before === undefined ? "written" : "extended";
}

/** Pure: the text of the file after the change; undefined where nothing changes. */
export function changedText(change: Change, before: string | undefined): string | undefined {
  switch (change.kind) {
    case "file":
      return before === undefined ? change.text : undefined;
    case "lines": {
      const present = new Set((before ?? "").split(/\r?\n/).map((line) => line.replace(/\/$/, "")));
      const missing = change.lines.filter((line) => !present.has(line));
      return missing.length > 0 ? appended(before, `${missing.join("\n")}\n`) : undefined;
    }
    case "section":
      return before?.includes(beginMark)
        ? undefined
        : appended(before, `${beginMark}\n${change.text}${endMark}\n`, "\n");
  }
}

/** Text after the end of a file, which may end without a line break. */
function appended(before: string | undefined, text: string, between = ""): string {
  if (before === undefined || before === "") return text;
  return `${before}${before.endsWith("\n") ? "" : "\n"}${between}${text}`;
}
