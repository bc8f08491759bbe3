#!/usr/bin/env node
// Gives all packages one version, because core, component and CLI are only tested together.
//
//   node scripts/release.mjs 1.2.0            writes it everywhere; then: npm install --package-lock-only
//   node scripts/release.mjs --check v1.2.0   fails unless everything has it
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const [first = "", second = ""] = process.argv.slice(2);
const isCheck = first === "--check";
const version = (isCheck ? second : first).replace(/^v/, "");
if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
  console.error("usage: node scripts/release.mjs [--check] VERSION");
  process.exit(2);
}

const ownName = /^(tidetable|create-tidetable|@tidetable\/.*)$/;
const manifests = ["package.json"].concat(
  readdirSync(join(root, "packages")).map((name) => `packages/${name}/package.json`),
);
const versionFiles = ["packages/core/src/base/version.ts", "packages/sst/src/version.ts"];

/** The manifest with the version, and with it for each dependency that is a package of ours. */
function withVersion(manifest) {
  const withOwn = (dependencies) =>
    Object.fromEntries(
      Object.entries(dependencies).map(([name, range]) => [
        name,
        ownName.test(name) ? version : range,
      ]),
    );
  return Object.fromEntries(
    Object.entries({ ...manifest, version }).map(([key, value]) => [
      key,
      /^(dev)?dependencies$/i.test(key) ? withOwn(value) : value,
    ]),
  );
}

const texts = new Map([
  ...manifests.map((file) => {
    const manifest = JSON.parse(readFileSync(join(root, file), "utf8"));
    return [file, `${JSON.stringify(withVersion(manifest), null, 2)}\n`];
  }),
  ...versionFiles.map((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return [file, text.replace(/version = ".*"/, `version = "${version}"`)];
  }),
]);

for (const [file, text] of texts) {
  if (isCheck && JSON.stringify(text) !== JSON.stringify(readFileSync(join(root, file), "utf8"))) {
    console.error(`${file} is not of version ${version}; run: node scripts/release.mjs ${version}`);
    process.exitCode = 1;
  } else if (!isCheck) writeFileSync(join(root, file), text);
}
