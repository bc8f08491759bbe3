import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { deflateRaw, type ZlibOptions } from "node:zlib";
import { type BuildOptions, build, stop } from "esbuild";

export { version as esbuildVersion } from "esbuild";

/** What AWS runs: a file of `functions/` with everything that it imports. */
type FunctionFile = "schedule" | "resource";

interface Bundle {
  /** The folder to run it in. */
  folder: string;
  /** As Lambda's configuration names it. */
  handler: string;
  bytes: number;
  /** What it has in the zip that a deployment uploads. */
  zippedBytes: number;
  /** The files of which something is in it, from the root of the repository. */
  inputs: string[];
}

export type Bundles = Record<FunctionFile, Bundle>;

const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * As SST 4.17 builds a nodejs24.x function with `minify` (pkg/runtime/node/build.go), with one
 * esbuild or another: a test compares both bundles.
 */
const asSst = {
  platform: "node",
  format: "esm",
  target: "es2024",
  bundle: true,
  minify: true,
  keepNames: true,
  mainFields: ["module", "main"],
  external: ["sharp", "pg-native"],
  sourcemap: "linked",
  metafile: true,
  // CommonJS parts of the SDK expect these names, which an ES module has not.
  banner: {
    js: [
      `import { createRequire as topLevelCreateRequire } from 'module';`,
      `const require = topLevelCreateRequire(import.meta.url);`,
      `import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"`,
      `const __filename = topLevelFileUrlToPath(import.meta.url)`,
      `const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))`,
      "",
    ].join("\n"),
  },
  absWorkingDir: root,
  logLevel: "silent",
} as const satisfies BuildOptions;

/** Bundles both functions, each into a folder of its own under `into`. */
export const bundleFunctions = (into: string): Promise<Bundles> =>
  bundleFiles({ schedule: "functions/schedule.ts", resource: "functions/resource.ts" }, into);

/** Bundles files of the repository as functions are bundled, each into a folder by its name. */
export async function bundleFiles<N extends string>(
  files: Record<N, string>,
  into: string,
): Promise<Record<N, Bundle>> {
  const names = Object.keys(files) as N[];
  try {
    const made = await Promise.all(
      names.map(async (name) => [name, await bundle(files[name], join(into, name))] as const),
    );
    return Object.fromEntries(made) as Record<N, Bundle>;
  } finally {
    // It would stay, as a process of its own.
    await stop();
  }
}

/** Without the map, as the zip has it. */
async function bundle(file: string, folder: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...asSst,
    entryPoints: [join(root, file)],
    outfile: join(folder, "bundle.mjs"),
    write: false,
  });
  const code = outputFiles.find(({ path }) => path.endsWith(".mjs"))?.contents;
  if (!code) throw new Error(`esbuild made no bundle of ${file}`);
  const outputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "bundle.mjs"), code);
  // SST packs its zips in zlib's fastest way.
  const zipped = await promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw)(code, { level: 1 });
  return {
    folder,
    handler: "bundle.handler",
    bytes: code.length,
    zippedBytes: zipped.length,
    inputs: outputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path),
  };
}
