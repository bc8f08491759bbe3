import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { openLoopbackServer } from "../../packages/local/src/base/loopback.ts";
import type { StageLocation, Statement } from "../../stacks/permissions.ts";

/*
 * What IAM does with a role's policy, in front of engines that allow everything: each request on
 * the wire becomes an action on a resource, which a statement has to allow. It knows only what this
 * project's policies say; a word that it does not know is an error and never a pass.
 */

/** What a request asks for. */
export interface Access {
  action: string;
  resource: string;
  /** The condition keys that the request has. */
  context: Record<string, string[]>;
}

/** Pure: the statement that allows it. Undefined: nothing does, or one denies it. */
export function allowedBy(statements: readonly Statement[], access: Access): Statement | undefined {
  const matching = statements.filter(
    (one) =>
      // The name of an action has no case for IAM; an ARN has.
      one.Action.some((pattern) => isLike(access.action.toLowerCase(), pattern.toLowerCase())) &&
      one.Resource.some((pattern) => isLike(access.resource, pattern)) &&
      meetsCondition(one.Condition ?? {}, access.context),
  );
  if (matching.some(({ Effect }) => Effect === "Deny")) return undefined;
  return matching[0];
}

function isLike(text: string, pattern: string): boolean {
  const parts = { "*": ".*", "?": "." } as Record<string, string>;
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, (one) => parts[one] ?? `\\${one}`);
  return new RegExp(`^${source}$`, "s").test(text);
}

type Operator = (values: string[] | undefined, patterns: string[]) => boolean;

const operators: Record<string, Operator> = {
  // Also true of a request that has no such key: an action without one must not rely on it.
  "ForAllValues:StringLike": (values = [], patterns) =>
    values.every((value) => patterns.some((pattern) => isLike(value, pattern))),
  StringEquals: (values = [], patterns) => values.some((value) => patterns.includes(value)),
  ArnEquals: (values = [], patterns) =>
    values.some((value) => patterns.some((pattern) => isLike(value, pattern))),
};

function meetsCondition(condition: NonNullable<Statement["Condition"]>, context: Access["context"]) {
  return Object.entries(condition).every(([name, keys]) => {
    const operator = operators[name];
    if (!operator) throw new Error(`the condition ${name} is not known here`);
    return Object.entries(keys).every(([key, patterns]) => operator(context[key], patterns));
  });
}

/** A request as it came over the wire. */
export interface WireRequest {
  /** The service that it was signed for. */
  service: string;
  method: string;
  path: string;
  /** The X-Amz-Target of the JSON protocols. */
  target: string;
  body: string;
}

/** Pure: what a request asks for. Throws for one that is not known here. */
export function accessesOf(request: WireRequest, place: StageLocation): Access[] {
  const arn = (resource: string) =>
    `arn:${place.partition}:${request.service}:${place.region}:${place.account}:${resource}`;
  const [version, operation = ""] = request.target.split(".");

  if (request.service === "dynamodb" && version === "DynamoDB_20120810") {
    const ask = dynamodbAccesses[operation];
    if (!ask) throw unknownRequest(`dynamodb:${operation}`);
    const guarded = stateTableName(place.names);
    return ask(JSON.parse(request.body)).map(({ table, keys }) => ({
      action: `dynamodb:${operation}`,
      resource: arn(`table/${table}`),
      // No other table is guarded by its keys.
      context:
        keys && table.split("/")[0] === guarded
          ? { "dynamodb:LeadingKeys": keys.map(leadingKey) }
          : {},
    }));
  }
  if (request.service === "secretsmanager" && version === "secretsmanager") {
    if (!["GetSecretValue", "PutSecretValue"].includes(operation)) {
      throw unknownRequest(`secretsmanager:${operation}`);
    }
    const { SecretId, VersionStage } = JSON.parse(request.body);
    return [
      {
        action: `secretsmanager:${operation}`,
        // A secret that is asked for by its name is judged by its whole ARN.
        resource: arn(`secret:${SecretId}-a1B2c3`),
        context: VersionStage ? { "secretsmanager:VersionStage": [VersionStage] } : {},
      },
    ];
  }
  const invoked = /^\/2015-03-31\/functions\/([^/?]+)\/invocations$/.exec(request.path)?.[1];
  if (request.service === "lambda" && request.method === "POST" && invoked) {
    const resource = arn(`function:${decodeURIComponent(invoked)}`);
    return [{ action: "lambda:InvokeFunction", resource, context: {} }];
  }
  throw unknownRequest(`${request.service} ${request.target || `${request.method} ${request.path}`}`);
}

const unknownRequest = (what: string) => new Error(`${what} is not known here`);

type Attributes = Record<string, { S?: string }>;
// biome-ignore lint/suspicious/noExplicitAny: a body of any operation.
type Body = any;
type Asked = { table: string; keys?: Attributes[] }[];

const byKey = ({ TableName, Key }: Body): Asked => [{ table: TableName, keys: [Key] }];
const tableOrIndex = ({ TableName, IndexName }: Body): string =>
  IndexName ? `${TableName}/index/${IndexName}` : TableName;
const perTable = (keysOf: (value: Body) => Attributes[]) => (body: Body) =>
  Object.entries(body.RequestItems).map(([table, value]) => ({ table, keys: keysOf(value) }));

/** By operation: the tables that it is about, and the items, where it names them. */
const dynamodbAccesses: Record<string, (body: Body) => Asked> = {
  BatchGetItem: perTable(({ Keys }) => Keys),
  BatchWriteItem: perTable((requests: Body[]) =>
    requests.map(({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest.Key),
  ),
  DeleteItem: byKey,
  DescribeTable: ({ TableName }) => [{ table: TableName }],
  GetItem: byKey,
  PutItem: ({ TableName, Item }) => [{ table: TableName, keys: [Item] }],
  Query: (body) => [{ table: tableOrIndex(body), keys: [queriedKey(body)] }],
  Scan: (body) => [{ table: tableOrIndex(body) }],
  UpdateItem: byKey,
};

function queriedKey(body: Body): Attributes {
  const [, name = "", value = ""] =
    /(?:^|\s|\()(#?\w+)\s*=\s*(:\w+)/.exec(body.KeyConditionExpression) ?? [];
  return {
    [body.ExpressionAttributeNames?.[name] ?? name]: body.ExpressionAttributeValues?.[value],
  };
}

function leadingKey(attributes: Attributes): string {
  const key = attributes["pk"]?.S;
  if (key === undefined) throw new Error("a request for the state table names no pk");
  return key;
}

/** One access that was asked for. */
export interface Decision extends Access {
  /** The access key id of who asked. */
  role: string;
  /** The Sid of the statement that allows it; undefined when it was denied. */
  allowedBy: string | undefined;
}

export interface Iam {
  /** Serves every service of AWS that has an endpoint behind it. */
  endpoint: string;
  /** By access key id: what its owner may do. */
  roles: Map<string, Statement[]>;
  decisions: Decision[];
  /** Requests that nothing is known of, which were answered with an error. */
  faults: string[];
  close(): Promise<void>;
}

/** Stands before the endpoints and lets through what the caller's role allows. */
export async function openIam(place: StageLocation, endpoints: Record<string, string>): Promise<Iam> {
  const roles: Iam["roles"] = new Map();
  const decisions: Decision[] = [];
  const faults: string[] = [];

  async function answer(incoming: IncomingMessage): Promise<Answer> {
    const { request, role } = await readRequest(incoming);
    const statements = roles.get(role);
    if (!statements) throw new Error(`there is no role ${role}`);
    const asked = accessesOf(request, place).map((access) => ({
      ...access,
      role,
      allowedBy: allowedBy(statements, access)?.Sid,
    }));
    decisions.push(...asked);
    const denied = asked.find((one) => one.allowedBy === undefined);
    return denied ? accessDenied(denied, request, place) : forwardRequest(incoming, request, endpoints);
  }

  const { url, close } = await openLoopbackServer(async (incoming, outgoing) => {
    const { status, headers, body } = await answer(incoming).catch((error: Error) => {
      faults.push(error.message);
      return refusalAnswer(400, "UnknownOperationException", error.message);
    });
    // A kept connection can be closed here just when the client sends its next request on it.
    outgoing.writeHead(status, { ...headers, connection: "close" });
    outgoing.end(body);
  });
  return { endpoint: url, roles, decisions, faults, close };
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const SIGNED = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request,/;

async function readRequest(incoming: IncomingMessage) {
  const [, role = "", service = ""] = SIGNED.exec(incoming.headers.authorization ?? "") ?? [];
  const request: WireRequest = {
    service,
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    target: String(incoming.headers["x-amz-target"] ?? ""),
    body: await text(incoming),
  };
  return { request, role };
}

/** DynamoDB and Secrets Manager tell it in the body and by 400, Lambda in a header and by 403. */
function accessDenied({ role, action, resource }: Decision, { service }: WireRequest, at: StageLocation) {
  const user = `arn:${at.partition}:sts::${at.account}:assumed-role/${role}/session`;
  return refusalAnswer(
    service === "lambda" ? 403 : 400,
    service === "dynamodb"
      ? "com.amazon.coral.service#AccessDeniedException"
      : "AccessDeniedException",
    `User: ${user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  );
}

const refusalAnswer = (status: number, type: string, message: string): Answer => ({
  status,
  headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-errortype": type },
  body: JSON.stringify({ __type: type, Message: message }),
});

async function forwardRequest(
  { headers: received }: IncomingMessage,
  { service, method, path, body }: WireRequest,
  endpoints: Record<string, string>,
): Promise<Answer> {
  // Those are of the connection, and the request gets a new one.
  const { host, connection, expect, "content-length": length, ...kept } = received;
  const headers = new Headers(kept as Record<string, string>);
  const answer = await fetch(`${endpoints[service]}${path}`, { method, headers, body });
  const ours = ["content-type", "x-amzn-errortype", "x-amzn-requestid"];
  const answered = ours.flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return {
    status: answer.status,
    headers: Object.fromEntries(answered),
    body: await answer.text(),
  };
}
