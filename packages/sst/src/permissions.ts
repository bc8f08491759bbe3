import {
  failureQueueName,
  type Names,
  type SourcePlan,
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "@tidetable/core/plan";

/*
 * The complete permissions of each function as IAM policies. They are built from names that are
 * known before a deploy, so that tests can check runs against the policies.
 */

/** The place in AWS to which a stage is deployed. */
export interface StageLocation {
  names: Names;
  partition: string;
  region: string;
  account: string;
  /** The key of all tables without a key of their own, of secrets and of the failure queue. */
  kmsKey?: string | undefined;
}

export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Action: string[];
  Resource: string[];
  Condition?: Record<string, Record<string, string[]>>;
}

export function workerStatements(plan: SourcePlan, location: StageLocation): Statement[] {
  const { names } = location;
  const functionName = workerFunctionName(names, plan.name);
  return [
    ...tableStatements(plan, location),
    ...secretStatements(plan, location),
    {
      Sid: "EventsThatFailed",
      Effect: "Allow",
      Action: ["sqs:SendMessage"],
      Resource: [arn(location, "sqs", failureQueueName(names))],
    },
    logStatement(functionName, location),
    ...encryptionStatements(plan, location),
    ...(plan.function.vpc ? networkStatements(functionName, location) : []),
  ];
}

export function scheduleStatements(plans: SourcePlan[], location: StageLocation): Statement[] {
  const { names } = location;
  return [
    {
      Sid: "WhatIsUnfinished",
      Effect: "Allow",
      Action: ["dynamodb:BatchGetItem"],
      Resource: [arn(location, "dynamodb", `table/${stateTableName(names)}`)],
    },
    {
      Sid: "TheWorkers",
      Effect: "Allow",
      Action: ["lambda:InvokeFunction"],
      Resource: plans.map(({ name }) => functionArn(workerFunctionName(names, name), location)),
    },
    logStatement(scheduleFunctionName(names), location),
    ...stageKeyStatements(["kms:Decrypt", "kms:DescribeKey"], ["dynamodb"], location),
  ];
}

const arn = ({ partition, region, account }: StageLocation, service: string, resource: string) =>
  `arn:${partition}:${service}:${region}:${account}:${resource}`;

const functionArn = (name: string, location: StageLocation) =>
  arn(location, "lambda", `function:${name}`);

/** The tables of a source. A role has no room for a list of 200 tables, but for their prefix. */
export const tableArnOf = (source: string, location: StageLocation): string =>
  arn(location, "dynamodb", `table/${tableName(location.names, { source, table: "*" })}`);

function tableStatements({ name: source }: SourcePlan, location: StageLocation): Statement[] {
  const { names } = location;
  return [
    {
      Sid: "ItsTables",
      Effect: "Allow",
      Action: [
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem", // the sweep of a refresh
        "dynamodb:DescribeTable",
        "dynamodb:PutItem", // write_mode "ordered"
        "dynamodb:Scan", // the sweep of a refresh
      ],
      Resource: [tableArnOf(source, location)],
    },
    {
      Sid: "ItsPartOfTheState",
      Effect: "Allow",
      Action: [
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ],
      Resource: [arn(location, "dynamodb", `table/${stateTableName(names)}`)],
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [`${source}#*`] } },
    },
  ];
}

function secretStatements(
  { name, secrets, rotatesSecret }: SourcePlan,
  location: StageLocation,
): Statement[] {
  if (secrets.length === 0) return [];
  // Secrets Manager appends a hyphen and six random characters to the ARN.
  const resourceName = `secret:${secretName(location.names, name)}-??????`;
  const Resource = [arn(location, "secretsmanager", resourceName)];
  const readStatement: Statement = {
    Sid: "ItsSecret",
    Effect: "Allow",
    Action: ["secretsmanager:GetSecretValue"],
    Resource,
    Condition: { StringEquals: { "secretsmanager:VersionStage": ["AWSCURRENT"] } },
  };
  if (!rotatesSecret) return [readStatement];
  const Action = ["secretsmanager:PutSecretValue"];
  return [readStatement, { Sid: "ItsRefreshToken", Effect: "Allow", Action, Resource }];
}

const logStatement = (functionName: string, location: StageLocation): Statement => ({
  Sid: "ItsLogs",
  Effect: "Allow",
  Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
  Resource: [arn(location, "logs", `log-group:/aws/lambda/${functionName}:*`)],
});

/** AWS opens what is under a customer's key with the permissions of the calling role. */
function encryptionStatements({ resources }: SourcePlan, location: StageLocation): Statement[] {
  const tableKeys = new Set(resources.flatMap(({ storage }) => storage.kmsKey ?? []));
  // DynamoDB's guide lists these actions for users of a key. A deploy makes the grants.
  const Action = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
  ];
  return [
    ...keyStatements("KeysOfItsTables", [...tableKeys], Action, ["dynamodb"], location),
    ...stageKeyStatements(Action, ["dynamodb", "secretsmanager", "sqs"], location),
  ];
}

const stageKeyStatements = (Action: string[], services: string[], location: StageLocation) =>
  keyStatements(
    "KeyOfTheStage",
    location.kmsKey ? [location.kmsKey] : [],
    Action,
    services,
    location,
  );

/** Keys are used through AWS's services alone: the function's own code cannot decrypt with them. */
function keyStatements(
  Sid: string,
  keys: string[],
  Action: string[],
  services: string[],
  { region }: StageLocation,
): Statement[] {
  if (keys.length === 0) return [];
  const viaServices = services.map((service) => `${service}.${region}.amazonaws.com`);
  const Condition = { StringEquals: { "kms:ViaService": viaServices } };
  return [{ Sid, Effect: "Allow", Action, Resource: keys, Condition }];
}

/** Lambda creates and removes the network interfaces with the function's role. */
function networkStatements(functionName: string, location: StageLocation): Statement[] {
  const changeActions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:UnassignPrivateIpAddresses",
  ];
  return [
    {
      Sid: "NetworkInterfaces",
      Effect: "Allow",
      Action: [...changeActions, "ec2:DescribeSubnets"],
      Resource: ["*"], // EC2 can only describe all network interfaces
    },
    {
      Sid: "NoNetworkInterfacesFromItsCode",
      Effect: "Deny",
      Action: changeActions,
      Resource: ["*"],
      Condition: {
        ArnEquals: { "lambda:SourceFunctionArn": [functionArn(functionName, location)] },
      },
    },
  ];
}
