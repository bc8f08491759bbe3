import { chmodSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** The folders of a data folder that hold records and credentials. */
const privateParts = ["dynamodb", "secrets", "origins"];

/**
 * Makes the data folder, or takes one of an earlier version, for its owner alone. A folder that was
 * there before and holds other things, as with `--data .`, keeps its mode; what is tidetable's in it
 * does not.
 */
export function prepareDataFolder(folder: string): void {
  const wasMissing = mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
  const isOwn = wasMissing || basename(folder) === ".tidetable" || readdirSync(folder).length === 0;
  if (isOwn) {
    closeToOthers(folder);
    ignoreForGit(folder);
  }
  for (const part of privateParts) closeToOthers(join(folder, part));
}

/** A data folder elsewhere than at `.tidetable` is in no .gitignore of the project. */
function ignoreForGit(folder: string): void {
  try {
    writeFileSync(join(folder, ".gitignore"), "*\n", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Takes the permissions of others from a folder. A link is left to whoever has made it. */
function closeToOthers(folder: string): void {
  try {
    const stats = lstatSync(folder);
    if (stats.isDirectory() && (stats.mode & 0o077) !== 0) chmodSync(folder, 0o700);
  } catch {
    // It is missing, or another user's, who decides about it.
  }
}
