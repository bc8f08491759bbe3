// Replaces the `pulumi` that SST downloads. The program that SST has built runs in Pulumi's own
// runtime on its mock monitor: every resource exists as soon as it is declared, with its inputs and
// a few computed attributes. State and event log have the formats that SST reads and uploads.
//
//   pulumi.mjs PLATFORM version | stack init STACK | preview|up|destroy --stack STACK --event-log FILE
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual, parseArgs } from "node:util";

const ROOT_TYPE = "pulumi:pulumi:Stack";
/** Pulumi's mark on values that are more than plain JSON: secrets and archives. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
/** Inputs that AWS's provider cannot change: another value replaces the resource. */
const fixedInputs = ["name", "bucket", "hashKey", "rangeKey", "functionName", "dashboardName"];

const [platform, ...args] = process.argv.slice(2);
const inPlatform = createRequire(join(platform, "package.json"));
const workdir = process.cwd(); // the program changes the working directory
const { values, positionals } = parseArgs({
  args,
  strict: false,
  options: {
    stack: { type: "string" },
    "event-log": { type: "string" },
    config: { type: "string" },
  },
});
const [command, , created] = positionals;
const [, app, stage] = (values.stack ?? created ?? "").split("/");

if (command === "version")
  process.stdout.write(inPlatform("./package.json").dependencies["@pulumi/pulumi"]);
else if (command === "stack") writeState([]);
else if (command === "destroy") destroy();
else evaluate(command === "preview");

function evaluate(preview) {
  const before = new Map(readState().map((resource) => [resource.urn, resource]));
  const { resources, failures } = runProgram(preview, before);
  // A failed program leaves promises that never settle, so its end is the end of all work.
  process.on("beforeExit", () => finish(preview, before, resources, failures));
}

function finish(preview, before, resources, failures) {
  const kept = new Set();
  for (const resource of resources.values()) {
    const old = findOld(resource, before);
    kept.add(old?.urn);
    emitStep(stepFor(old, resource), old, resource);
  }
  for (const [urn, old] of before) if (!kept.has(urn)) emitStep("delete", old);
  if (!preview) writeState([...resources.values()]);
  end(failures);
}

/** What was deployed under the URN of the resource, or under one of its aliases. */
function findOld({ urn, aliases }, before) {
  const name = [urn, ...aliases].find((candidate) => before.has(candidate));
  return before.get(name);
}

function stepFor(old, { inputs, custom }) {
  if (!old) return "create";
  const isFixed = (name) => isDeepStrictEqual(old.inputs[name], inputs[name]);
  if (custom && !fixedInputs.every(isFixed)) return "replace";
  return isDeepStrictEqual(old.inputs, inputs) ? "same" : "update";
}

/** Starts the program. Returns its resources by URN and the messages of its failures. */
function runProgram(preview, before) {
  const failures = new Set();
  const failed = (error) => failures.add(error?.message ?? String(error));
  process.on("unhandledRejection", failed);
  process.on("uncaughtException", failed);

  const { runtime } = inPlatform("@pulumi/pulumi");
  const mocks = { newResource, call: (question) => call(question, before) };
  runtime.setMocks(mocks, app, stage, preview);
  const resources = recordResources(runtime.getMonitor(), before);
  const main = /^main: (.+)$/m.exec(readFileSync(join(workdir, "Pulumi.yaml"), "utf8"))[1];
  runtime.runInPulumiStack(async () => (await import(pathToFileURL(main))).default).catch(failed);
  return { resources, failures };
}

/** Records each resource as a state file has it, under the URN of the real engine. */
function recordResources(monitor, before) {
  const resources = new Map();
  const { registerResource, registerResourceOutputs } = monitor;
  monitor.newUrn = (parent, type, name) => {
    const above = parent.split("::")[2];
    const types = above && above !== ROOT_TYPE ? `${above}$${type}` : type;
    return `urn:pulumi:${stage}::${app}::${types}::${name}`;
  };
  monitor.registerResource = (request, callback) => {
    const urn = monitor.newUrn(request.getParent(), request.getType(), request.getName());
    if (resources.has(urn)) return callback(new Error(`Duplicate resource URN '${urn}'`));
    const aliases = aliasesOf(request, monitor.newUrn, resources);
    keepIgnoredInputs(request, findOld({ urn, aliases }, before));
    const resource = {
      urn,
      aliases,
      type: request.getType(),
      custom: request.getCustom(),
      parent: request.getParent(),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      inputs: unwrapSecrets(request.getObject().toJavaScript()),
    };
    resources.set(urn, resource);
    registerResource.call(monitor, request, (error, response) => {
      if (response) {
        resource.id = response.getId();
        resource.outputs = unwrapSecrets(response.getObject().toJavaScript());
      }
      callback(error, response);
    });
  };
  monitor.registerResourceOutputs = (request, callback) => {
    resources.get(request.getUrn()).outputs = unwrapSecrets(request.getOutputs().toJavaScript());
    registerResourceOutputs.call(monitor, request, callback);
  };
  return resources;
}

/**
 * The URNs that the resource may have had: by its own aliases, and by those of its parent. A name
 * that begins with the parent's name begins with the parent's older name there.
 */
function aliasesOf(request, newUrn, resources) {
  const [type, name, parent] = [request.getType(), request.getName(), request.getParent()];
  const ownAliases = request.getAliasesList().map((alias) => {
    const spec = alias.getSpec();
    if (!spec) return alias.getUrn();
    const above = spec.getNoparent() ? "" : spec.getParenturn() || parent;
    return newUrn(above, spec.getType() || type, spec.getName() || name);
  });
  const parentName = parent.split("::").at(-1);
  const inherited = (resources.get(parent)?.aliases ?? []).map((above) => {
    const ending = name.startsWith(parentName) ? name.slice(parentName.length) : undefined;
    const olderName = ending === undefined ? name : above.split("::").at(-1) + ending;
    return newUrn(above, type, olderName);
  });
  return [...ownAliases, ...inherited];
}

/** Applies `ignoreChanges`: SST makes names with a random end, and the first name stays. */
function keepIgnoredInputs(request, old) {
  const inputs = request.getObject().toJavaScript();
  for (const name of request.getIgnorechangesList()) {
    if (old && name in old.inputs) inputs[name] = old.inputs[name];
  }
  request.setObject(request.getObject().constructor.fromJavaScript(inputs));
}

/** Unwraps marked secrets, so that a test can search the state for credentials. */
function unwrapSecrets(value) {
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (value === null || typeof value !== "object") return value;
  const { [SIGNATURE]: mark, ...members } = value;
  if (mark && "value" in members) return unwrapSecrets(members.value);
  return Object.fromEntries(
    Object.entries(members).map(([key, inner]) => [key, unwrapSecrets(inner)]),
  );
}

function newResource({ type, name, inputs, custom }) {
  if (!custom) return { state: inputs };
  const id = inputs.name ?? name;
  const [, service, kind] = /^aws:(\w+)\/(\w+):/.exec(type) ?? [];
  const computed = {
    name: id,
    ...(service ? { arn: `arn:aws:${service}:us-east-1:123456789012:${kind}/${id}` } : {}),
    ...(kind === "queue" ? { url: `https://sqs.us-east-1.amazonaws.com/123456789012/${id}` } : {}),
    ...(kind === undefined && inputs.length ? { base64: btoa("\0".repeat(inputs.length)) } : {}),
  };
  return { id, state: { ...computed, ...inputs } };
}

function call({ token, inputs }, before) {
  switch (token) {
    case "aws:index/getPartition:getPartition":
      return { partition: "aws" };
    case "aws:index/getRegion:getRegion":
      return { region: "us-east-1" };
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { accountId: "123456789012" };
    case "aws:iam/getPolicyDocument:getPolicyDocument":
      return { ...inputs, json: JSON.stringify(inputs) };
    case "aws:dynamodb/getTables:getTables":
      return { names: deployedTables(before).map(({ name }) => name) };
    case "aws:dynamodb/getTable:getTable":
      return (
        deployedTables(before).find(({ name }) => name === inputs.name) ?? throwMissingTable(inputs)
      );
  }
  throw new Error(`the stand-in for pulumi has no answer to ${token}`);
}

function deployedTables(before) {
  const tables = [...before.values()].filter(({ type }) => type === "aws:dynamodb/table:Table");
  return tables.map(({ outputs }) => outputs);
}

function throwMissingTable({ name }) {
  throw new Error(`reading DynamoDB Table (${name}): couldn't find resource`);
}

function destroy() {
  const resources = readState();
  const protectedResources = resources.filter(({ protect }) => protect);
  if (protectedResources.length > 0)
    return end(new Set(protectedResources.map(({ urn }) => `${urn} is protected`)));
  const removedResources = resources.reverse().filter(({ retainOnDelete }) => !retainOnDelete);
  for (const resource of removedResources) emitStep("delete", resource);
  writeState([]);
  end(new Set());
}

function emitStep(op, before, after) {
  const { urn, type } = after ?? before;
  const metadata = { op, urn, type, old: before ?? null, new: after ?? null, detailedDiff: null };
  emit({ resourcePreEvent: { metadata } });
  emit({ resOutputsEvent: { metadata } });
}

function end(failures) {
  for (const message of failures) emit({ diagnosticEvent: { severity: "error", message } });
  if (failures.size === 0) emit({ summaryEvent: { resourceChanges: {} } });
  process.exit(failures.size === 0 ? 0 : 1);
}

function emit(event) {
  appendFileSync(values["event-log"], `${JSON.stringify(event)}\n`);
}

function statePath() {
  return join(workdir, ".pulumi/stacks", app, `${stage}.json`);
}

function readState() {
  return JSON.parse(readFileSync(statePath(), "utf8")).checkpoint.latest.resources;
}

function writeState(resources) {
  const manifest = { time: new Date().toISOString(), magic: "", version: "" };
  const checkpoint = {
    stack: `organization/${app}/${stage}`,
    latest: { manifest, resources },
  };
  mkdirSync(dirname(statePath()), { recursive: true });
  writeFileSync(statePath(), JSON.stringify({ version: 3, checkpoint }));
}
