import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { deflateRaw, type ZlibOptions } from "node:zlib";
import { type BuildOptions, build, stop } from "esbuild";
import type { Project } from "../base/project.ts";

export { version as esbuildVersion } from "esbuild";

/** The functions that AWS runs, by the modules of their handlers. */
type FunctionFile = "schedule" | "worker";

interface Bundle {
  /** The folder in which the bundle runs. */
  folder: string;
  /** The handler's name in Lambda's configuration. */
  handler: string;
  bytes: number;
  /** The size in the zip that a deployment uploads. */
  zippedBytes: number;
  /** The files with code in the bundle, relative to the project. */
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
  logLevel: "silent",
} as const satisfies BuildOptions;

/** Bundles a project's schedule function and worker, in separate folders of `outputFolder`. */
export const bundleFunctions = (
  { folder, functionFiles }: Pick<Project, "folder" | "functionFiles">,
  outputFolder: string,
): Promise<FunctionBundles> => bundleFiles(folder, functionFiles, outputFolder);

/** Bundles files of a project like functions, each into a folder with its name. */
export async function bundleFiles<N extends string>(
  projectFolder: string,
  files: Record<N, string>,
  outputFolder: string,
): Promise<Record<N, Bundle>> {
  const names = Object.keys(files) as N[];
  try {
    const bundles = await Promise.all(
      names.map(async (name) => {
        const outputs = join(outputFolder, name);
        return [name, await bundleFile(projectFolder, files[name], outputs)] as const;
      }),
    );
    return Object.fromEntries(bundles) as Record<N, Bundle>;
  } finally {
    // Otherwise esbuild's process would keep running.
    await stop();
  }
}

/** Bundles a file. The source map is not written, because the zip does not contain it. */
async function bundleFile(projectFolder: string, file: string, folder: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...sstBuildOptions,
    absWorkingDir: projectFolder,
    entryPoints: [resolve(projectFolder, file)],
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
