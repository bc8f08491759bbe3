import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of this package. The code lies in `src`, or bundled in `dist`. */
const packageFolder = folderWithManifest(import.meta.dirname);

function folderWithManifest(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : folderWithManifest(dirname(folder));
}

/** The path of a file that is started as a program of its own, so no bundle contains it. */
export const packageFile = (path: string): string => join(packageFolder, path);
