import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { packageFile } from "../base/package-files.ts";

/** A source to begin with, which `add` copies into a project. */
export interface GalleryEntry {
  name: string;
  /** The first line of the source's comment. */
  summary: string;
  text: string;
}

const folder = packageFile("gallery");

/** The sources that come with tidetable, by name. */
export function readGallery(): GalleryEntry[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      const summary = /^\/\*\*\n \* (.+)$/m.exec(text)?.[1] ?? "";
      return { name: basename(file, ".ts"), summary, text };
    });
}
