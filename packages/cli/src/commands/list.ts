import type { Context } from "../base/options.ts";
import { formatTable } from "../output/render.ts";
import { loadRegisteredSources } from "../sources/registered-sources.ts";
import { readGallery } from "../starter/gallery.ts";

/** `list`: the sources that `add` copies, and which names the project has. */
export async function listGallery({ options, io }: Context): Promise<number> {
  const registered = Object.keys(await loadRegisteredSources(io));
  const gallery = readGallery().map(({ name, summary }) => ({ name, summary }));
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ gallery, registered })}\n`);
    return 0;
  }
  const rows = gallery.map(({ name, summary }) => [name, summary]);
  const names = registered.length > 0 ? registered.join(", ") : "none";
  io.stdout.write(
    `${formatTable(["to add", "what it is"], rows)}\nregistered here: ${names}\n` +
      "`npx --no tidetable add NAME` copies one; a dlt file (.py, .json) or an OpenAPI document works as well\n",
  );
  return 0;
}
