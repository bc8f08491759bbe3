import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { packagesFile } from "../scripts/bundle-packages.ts";

const root = resolve(import.meta.dirname, "..");
const readProject = (path: string) => readFileSync(join(root, path), "utf8");

describe("installing", () => {
  const lock = JSON.parse(readProject("package-lock.json")).packages as Record<
    string,
    LockedPackage
  >;
  interface LockedPackage {
    integrity?: string;
    link?: boolean;
    hasInstallScript?: boolean;
    dependencies?: Record<string, string>;
  }
  const packages = Object.entries(lock).filter(([path]) => path.includes("node_modules/"));

  it("installing runs no code of a package, and only two packages have install scripts", () => {
    expect(readProject(".npmrc")).toMatch(/^ignore-scripts=true$/m);
    const scripts = packages.filter(([, { hasInstallScript }]) => hasInstallScript);
    // docs/security.md describes the install scripts of these packages.
    expect(new Set(scripts.map(([path]) => path.split("node_modules/").at(-1)))).toEqual(
      new Set(["classic-level", "esbuild"]),
    );
  });

  it("each package.json names exact versions, and package-lock.json the same ones", () => {
    const workspaces = [
      "",
      ...readdirSync(join(root, "packages")).map((name) => `packages/${name}`),
    ];
    for (const workspace of workspaces) {
      const manifest = JSON.parse(readProject(join(workspace, "package.json")));
      for (const part of ["dependencies", "devDependencies"]) {
        const versions: Record<string, string> = manifest[part] ?? {};
        const ranges = Object.entries(versions).filter(
          ([, at]) => !/^(?:npm:@?[\w./-]+@)?\d+\.\d+\.\d+$/.test(at),
        );
        expect(ranges, workspace).toEqual([]);
        expect(lock[workspace]?.[part as "dependencies"] ?? {}, workspace).toEqual(versions);
      }
    }
  });

  it("installing takes exactly the packages of package-lock.json, by their hashes", () => {
    const unchecked = packages.filter(([, { integrity, link }]) => !link && !integrity);
    expect(unchecked.map(([path]) => path)).toEqual([]);
  });
});

it("the SBOM has every package that AWS runs", { timeout: 60_000 }, () => {
  const sbom = JSON.parse(execFileSync("npm", ["run", "--silent", "sbom"], { encoding: "utf8" }));
  const components: { name: string; version: string }[] = sbom.components;
  const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const bundles: Record<string, string[]> = JSON.parse(readFileSync(packagesFile, "utf8"));
  const deployed = Object.values(bundles).flatMap((lines) => lines.map((line) => line.split(" ")));
  expect(deployed.length).toBeGreaterThan(0);
  expect(deployed.filter(([spec]) => !listed.has(String(spec)))).toEqual([]);
  expect(sbom.bomFormat).toBe("CycloneDX");
});

const workflowFolder = ".github/workflows";
const workflows = readdirSync(join(root, workflowFolder)).map((name) => [
  name,
  readProject(`${workflowFolder}/${name}`),
]);

it("flaws that become known later are looked for on a schedule, and updates are proposed", () => {
  expect(readProject(`${workflowFolder}/audit.yml`)).toMatch(/^ {2}schedule:\n {4}- cron: /m);
  expect(readProject(`${workflowFolder}/codeql.yml`)).toMatch(/^ {2}schedule:\n {4}- cron: /m);
  const updates = readProject(".github/dependabot.yml");
  for (const ecosystem of ["npm", "github-actions"]) {
    expect(updates).toContain(`package-ecosystem: ${ecosystem}`);
  }
});

it.each(workflows)("the workflow %s breaks no rule", (name = "", text = "") => {
  expect(findViolations(name, text)).toEqual([]);
});

describe("the rules for workflows", () => {
  const sha = "3d3c42e5aac5ba805825da76410c181273ba90b1";
  const pinned = `- uses: actions/checkout@${sha} # v7.0.1\n  with:\n    persist-credentials: false`;
  const good = `on:\n  pull_request:\n\npermissions:\n  contents: read\n\njobs:\n  ${pinned}\n`;

  it.each([
    ["an action that is pinned by a tag", good.replace(sha, "v7"), "v7"],
    ["a pinned action without its version in a comment", good.replace(" # v7.0.1", ""), sha],
    ["no permissions", good.replace("permissions:\n  contents: read\n", ""), "permissions"],
    ["all permissions", good.replace("\n  contents: read", " write-all"), "permissions"],
    [
      "a write permission in a workflow for pull requests",
      good.replace("jobs:", "  id-token: write\njobs:"),
      "id-",
    ],
    ["a pull request with secrets", good.replace("request:", "request_target:"), "target"],
    ["a token left on the disk", good.replace("persist-credentials: false", "x: y"), "persist"],
    [
      "text from outside in a shell command",
      `${good}- run: echo \${{ github.head_ref }}\n`,
      "head_ref",
    ],
    [
      "a job that signs what it has built",
      good.replace("jobs:\n", "jobs:\n  a:\n    permissions:\n      id-token: write\n"),
      "a: a job that may write",
    ],
    [
      "a job that may write and publishes with the scripts of a package",
      good.replace(
        "jobs:\n",
        'jobs:\n  a:\n    permissions:\n      id-token: write\n    run: npm publish "release/a.tgz"\n',
      ),
      "a: a job that may write",
    ],
    ["an install with the scripts of packages", `${good}- run: npm ci\n`, "npm ci"],
  ])("the rules find %s", (_, text, words) => {
    expect(findViolations("a.yml", text).join("\n")).toContain(words);
  });

  it("the rules accept a correct workflow", () => {
    expect(findViolations("a.yml", good)).toEqual([]);
  });
});

/** Finds the rules that a workflow breaks, each with its line. */
function findViolations(name: string, text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim().replace(/^- /, ""));
  const isPinned = /^uses: [\w-]+(?:\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
  const rules: [message: string, (line: string, i: number) => boolean][] = [
    [
      "pin it by commit, with its version in a comment",
      (line) => line.startsWith("uses:") && !isPinned.test(line),
    ],
    [
      "persist-credentials: false is missing",
      (line, i) =>
        line.startsWith("uses: actions/checkout@") &&
        !lines.slice(i, i + 4).includes("persist-credentials: false"),
    ],
    // A release has to write, and only a person with access can push a tag.
    [
      "only a release may write",
      (line) =>
        /: write\b/.test(line) &&
        name !== "release.yml" &&
        !(name === "codeql.yml" && line.startsWith("security-events: ")),
    ],
    ["pull requests from outside get no secrets", (line) => line.includes("pull_request_target")],
    ["pass it through env", (line) => line.startsWith("run:") && line.includes("$" + "{{")],
    [
      "--ignore-scripts is missing",
      (line) => /npm (ci|install)\b/.test(line) && !line.includes("--ignore-scripts"),
    ],
  ];
  const violations = lines.flatMap((line, i) =>
    rules.filter(([, breaks]) => breaks(line, i)).map(([message]) => `${line}: ${message}`),
  );
  const triggers = /^on:\n((?: .*\n)+)/m.exec(text)?.[1] ?? "";
  const isRelease = /^ {2}push:\n {4}tags: .*\n$/.test(triggers);
  return [
    ...violations,
    ...findWritingJobs(text),
    ...(/^permissions:\n {2}contents: read\n(?! )/m.test(text)
      ? []
      : ["permissions: contents: read, and no more, is missing at the top"]),
    ...(name === "release.yml" && !isRelease ? ["on: a release is made by a tag alone"] : []),
  ];
}

/** Finds jobs that may sign or write, and run what was checked out or installed. */
function findWritingJobs(text: string): string[] {
  const [, jobsText = ""] = text.split(/^jobs:\n/m);
  const jobs = jobsText.split(/^(?= {2}[\w-]+:\n)/m);
  return (
    jobs
      .filter((job) => /: write\b/.test(job.replace("security-events: write", "")))
      // npm runs nothing of a finished tarball that it publishes without scripts.
      .map((job) =>
        job.replace(/\bnpm publish "release\/[^"\n]*\.tgz"[^\n]* --ignore-scripts/g, ""),
      )
      .filter((job) => /actions\/checkout@|\b(npm|npx|node|bash) /.test(job))
      .map((job) => `${job.trim().split("\n")[0]} a job that may write runs code of the project`)
  );
}
