import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { openLoopbackServer } from "../../packages/cli/src/base/loopback.ts";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import type { StageLocation, Statement } from "../../packages/sst/src/permissions.ts";

/*
 * A simulated IAM before engines that allow everything. Each request on the wire becomes an action
 * on a resource, which a statement of the caller's role has to allow. It knows only the words of
 * this project's policies; an unknown word is an error and never allows a request.
 */

/** An action on a resource that a request needs. */
export interface Access {
  action: string;
  resource: string;
  /** The condition keys that the request has. */
  context: Record<string, string[]>;
}

/** Returns the statement that allows an access. Undefined: no statement allows it, or one denies it. */
export function allowedBy(statements: readonly Statement[], access: Access): Statement | undefined {
  const matching = statements.filter(
    ({ Action, Resource, Condition }) =>
      // IAM ignores the case of an action's name, and not that of an ARN.
      Action.some((pattern) => isLike(access.action.toLowerCase(), pattern.toLowerCase())) &&
      Resource.some((pattern) => isLike(access.resource, pattern)) &&
      meetsCondition(Condition ?? {}, access.context),
  );
  if (matching.some(({ Effect }) => Effect === "Deny")) return undefined;
  return matching[0];
}

function isLike(text: string, pattern: string): boolean {
  const parts = { "*": ".*", "?": "." } as Record<string, string>;
  const source = pattern.replace(
    /[\\^$.*+?()[\]{}|]/g,
    (character) => parts[character] ?? `\\${character}`,
  );
  return new RegExp(`^${source}$`, "s").test(text);
}

type Operator = (values: string[] | undefined, patterns: string[]) => boolean;

const operators: Record<string, Operator> = {
  // True for a request without the key as well, so an action without keys must not rely on it.
  "ForAllValues:StringLike": (values = [], patterns) =>
    values.every((value) => patterns.some((pattern) => isLike(value, pattern))),
  StringEquals: (values = [], patterns) => values.some((value) => patterns.includes(value)),
  ArnEquals: (values = [], patterns) =>
    values.some((value) => patterns.some((pattern) => isLike(value, pattern))),
};

function meetsCondition(
  condition: NonNullable<Statement["Condition"]>,
  context: Access["context"],
) {
  return Object.entries(condition).every(([name, keys]) => {
    const operator = operators[name];
    if (!operator) throw new Error(`the condition ${name} is not known here`);
    return Object.entries(keys).every(([key, patterns]) => operator(context[key], patterns));
  });
}

/** A request as it arrives over the wire. */
export interface WireRequest {
  /** The service in the signature. */
  service: string;
  method: string;
  path: string;
  /** The X-Amz-Target of the JSON protocols. */
  target: string;
  body: string;
}

/** Returns the accesses that a request needs. Throws for an unknown request. */
export function accessesOf(request: WireRequest, location: StageLocation): Access[] {
  const arnOf = (resource: string) =>
    `arn:${location.partition}:${request.service}:${location.region}:${location.account}:${resource}`;
  const [version, operation = ""] = request.target.split(".");

  if (request.service === "dynamodb" && version === "DynamoDB_20120810") {
    const tablesOf = dynamodbAccesses[operation];
    if (!tablesOf) throw unknownRequest(`dynamodb:${operation}`);
    const guarded = stateTableName(location.names);
    return tablesOf(JSON.parse(request.body)).map(({ table, keys }) => ({
      action: `dynamodb:${operation}`,
      resource: arnOf(`table/${table}`),
      // Policies restrict the keys of the state table alone.
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
        // A request has the name of a secret, and a policy its whole ARN.
        resource: arnOf(`secret:${SecretId}-a1B2c3`),
        context: VersionStage ? { "secretsmanager:VersionStage": [VersionStage] } : {},
      },
    ];
  }
  const invoked = /^\/2015-03-31\/functions\/([^/?]+)\/invocations$/.exec(request.path)?.[1];
  if (request.service === "lambda" && request.method === "POST" && invoked) {
    const resource = arnOf(`function:${decodeURIComponent(invoked)}`);
    return [{ action: "lambda:InvokeFunction", resource, context: {} }];
  }
  throw unknownRequest(
    `${request.service} ${request.target || `${request.method} ${request.path}`}`,
  );
}

const unknownRequest = (name: string) => new Error(`${name} is not known here`);

type Attributes = Record<string, { S?: string }>;
// biome-ignore lint/suspicious/noExplicitAny: a body of any operation.
type Body = any;
type Asked = { table: string; keys?: Attributes[] }[];

const byKey = ({ TableName, Key }: Body): Asked => [{ table: TableName, keys: [Key] }];
const tableOrIndex = ({ TableName, IndexName }: Body): string =>
  IndexName ? `${TableName}/index/${IndexName}` : TableName;
const perTable = (keysOf: (value: Body) => Attributes[]) => (body: Body) =>
  Object.entries(body.RequestItems).map(([table, value]) => ({ table, keys: keysOf(value) }));

/** The tables of each operation, and the keys of the items that it names. */
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

/** The decision on one access. */
export interface Decision extends Access {
  /** The access key id of the caller. */
  role: string;
  /** The Sid of the statement that allows it; undefined when it was denied. */
  allowedBy: string | undefined;
}

export interface Iam {
  /** The address for requests to every service that has an endpoint. */
  endpoint: string;
  /** The statements of each role, by access key id. */
  roles: Map<string, Statement[]>;
  decisions: Decision[];
  /** Messages of unknown requests, which were answered with an error. */
  faults: string[];
  close(): Promise<void>;
}

/** Opens a server before the endpoints that forwards the requests which the caller's role allows. */
export async function openIam(
  place: StageLocation,
  endpoints: Record<string, string>,
): Promise<Iam> {
  const roles: Iam["roles"] = new Map();
  const decisions: Decision[] = [];
  const faults: string[] = [];

  async function answerRequest(incoming: IncomingMessage): Promise<Answer> {
    const { request, role } = await readRequest(incoming);
    const statements = roles.get(role);
    if (!statements) throw new Error(`there is no role ${role}`);
    const decisionsOfRequest = accessesOf(request, place).map((access) => ({
      ...access,
      role,
      allowedBy: allowedBy(statements, access)?.Sid,
    }));
    decisions.push(...decisionsOfRequest);
    const denied = decisionsOfRequest.find((decision) => decision.allowedBy === undefined);
    return denied
      ? accessDenied(denied, request, place)
      : forwardRequest(incoming, request, endpoints);
  }

  const { url, close } = await openLoopbackServer(async (incoming, outgoing) => {
    const { status, headers, body } = await answerRequest(incoming).catch((error: Error) => {
      faults.push(error.message);
      return refusalAnswer(400, "UnknownOperationException", error.message);
    });
    // A server may close a kept connection just when the client sends its next request on it.
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

/** DynamoDB and Secrets Manager answer 400 with the type in the body, Lambda 403 with it in a header. */
function accessDenied(
  { role, action, resource }: Decision,
  { service }: WireRequest,
  at: StageLocation,
) {
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
  // These headers belong to the connection, and the forwarded request has a new one.
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
