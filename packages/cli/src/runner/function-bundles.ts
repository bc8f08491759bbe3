import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateRaw, type ZlibOptions } from "node:zlib";
import { type BuildOptions, build, stop } from "esbuild";
import { repositoryFolder } from "../base/package-files.ts";

export { version as esbuildVersion } from "esbuild";

/** The functions that AWS runs, by their files in `functions/`. */
type FunctionFile = "schedule" | "worker";

interface Bundle {
  /** The folder in which the bundle runs. */
  folder: string;
  /** The handler's name in Lambda's configuration. */
  handler: string;
  bytes: number;
  /** The size in the zip that a deployment uploads. */
  zippedBytes: number;
  /** The files with code in the bundle, relative to the root of the repository. */
  inputs: string[];
}

export type FunctionBundles = Record<FunctionFile, Bundle>;

/**
 * The options with which SST 4.17 builds a nodejs24.x function with `minify`
 * (pkg/runtime/node/build.go). A test compares its bundle with ours.
 */
const sstBuildOptions = {
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
  // CommonJS parts of the SDK use these names, which ES modules do not have.
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
  absWorkingDir: repositoryFolder,
  logLevel: "silent",
} as const satisfies BuildOptions;

/** Bundles schedule function and worker, in separate folders of `outputFolder`. */
export const bundleFunctions = (outputFolder: string): Promise<FunctionBundles> =>
  bundleFiles({ schedule: "functions/schedule.ts", worker: "functions/worker.ts" }, outputFolder);

/** Bundles files of the repository like functions, each into a folder with its name. */
export async function bundleFiles<N extends string>(
  files: Record<N, string>,
  outputFolder: string,
): Promise<Record<N, Bundle>> {
  const names = Object.keys(files) as N[];
  try {
    const bundles = await Promise.all(
      names.map(async (name) => {
        return [name, await bundleFile(files[name], join(outputFolder, name))] as const;
      }),
    );
    return Object.fromEntries(bundles) as Record<N, Bundle>;
  } finally {
    // Otherwise esbuild's process would keep running.
    await stop();
  }
}

/** Bundles a file. The source map is not written, because the zip does not contain it. */
async function bundleFile(file: string, folder: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...sstBuildOptions,
    entryPoints: [join(repositoryFolder, file)],
    outfile: join(folder, "bundle.mjs"),
    write: false,
  });
  const code = outputFiles.find(({ path }) => path.endsWith(".mjs"))?.contents;
  if (!code) throw new Error(`esbuild made no bundle of ${file}`);
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "bundle.mjs"), code);
  // SST packs its zips at zlib's fastest level.
  const zipped = await promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw)(code, { level: 1 });
  return {
    folder,
    handler: "bundle.handler",
    bytes: code.length,
    zippedBytes: zipped.length,
    inputs: inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path),
  };
}
