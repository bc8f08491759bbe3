import {
  failureQueueName,
  type Names,
  type SourcePlan,
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "@tidetable/core";

/*
 * All that a function may do, in IAM's words. Pure: made of names that are fixed before anything is
 * deployed, so that a test can hold a run against it.
 */

/** Where a stage is deployed. */
export interface Place {
  names: Names;
  partition: string;
  region: string;
  account: string;
}

export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Action: string[];
  Resource: string[];
  Condition?: Record<string, Record<string, string[]>>;
}

export function workerStatements(plan: SourcePlan, place: Place): Statement[] {
  const { names } = place;
  const name = workerFunctionName(names, plan.name);
  const tables = tableName(names, { source: plan.name, table: "*" });
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
      // One prefix instead of a list: 200 tables would not fit into a role.
      Resource: [arn(place, "dynamodb", `table/${tables}`)],
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
      Resource: [arn(place, "dynamodb", `table/${stateTableName(names)}`)],
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [`${plan.name}#*`] } },
    },
    ...secretStatements(plan, place),
    {
      Sid: "EventsThatFailed",
      Effect: "Allow",
      Action: ["sqs:SendMessage"],
      Resource: [arn(place, "sqs", failureQueueName(names))],
    },
    logStatement(name, place),
    ...keyStatements(plan, place),
    ...(plan.function.vpc ? networkStatements(name, place) : []),
  ];
}

export function scheduleStatements(plans: SourcePlan[], place: Place): Statement[] {
  const { names } = place;
  return [
    {
      Sid: "WhatIsUnfinished",
      Effect: "Allow",
      Action: ["dynamodb:BatchGetItem"],
      Resource: [arn(place, "dynamodb", `table/${stateTableName(names)}`)],
    },
    {
      Sid: "TheWorkers",
      Effect: "Allow",
      Action: ["lambda:InvokeFunction"],
      Resource: plans.map(({ name }) => functionArn(workerFunctionName(names, name), place)),
    },
    logStatement(scheduleFunctionName(names), place),
  ];
}

const arn = ({ partition, region, account }: Place, service: string, resource: string) =>
  `arn:${partition}:${service}:${region}:${account}:${resource}`;

const functionArn = (name: string, place: Place) => arn(place, "lambda", `function:${name}`);

function secretStatements({ name, secrets, rotatesSecret }: SourcePlan, place: Place): Statement[] {
  if (secrets.length === 0) return [];
  // Secrets Manager ends an ARN with a hyphen and six characters of its own.
  const Resource = [arn(place, "secretsmanager", `secret:${secretName(place.names, name)}-??????`)];
  const read: Statement = {
    Sid: "ItsSecret",
    Effect: "Allow",
    Action: ["secretsmanager:GetSecretValue"],
    Resource,
    Condition: { StringEquals: { "secretsmanager:VersionStage": ["AWSCURRENT"] } },
  };
  if (!rotatesSecret) return [read];
  const Action = ["secretsmanager:PutSecretValue"];
  return [read, { Sid: "ItsRefreshToken", Effect: "Allow", Action, Resource }];
}

const logStatement = (name: string, place: Place): Statement => ({
  Sid: "ItsLogs",
  Effect: "Allow",
  Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
  Resource: [arn(place, "logs", `log-group:/aws/lambda/${name}:*`)],
});

/** DynamoDB opens a table under a customer key in the name of whoever asks for its items. */
function keyStatements({ resources }: SourcePlan, { region }: Place): Statement[] {
  const keys = new Set(resources.flatMap(({ storage }) => storage.kmsKey ?? []));
  if (keys.size === 0) return [];
  return [
    {
      Sid: "KeysOfItsTables",
      Effect: "Allow",
      // What DynamoDB's guide asks of a key's users, without the grants that a deploy makes.
      Action: [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ],
      Resource: [...keys],
      Condition: { StringEquals: { "kms:ViaService": [`dynamodb.${region}.amazonaws.com`] } },
    },
  ];
}

/** Lambda itself makes and removes the network interfaces, with the function's role. */
function networkStatements(name: string, place: Place): Statement[] {
  const change = [
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
      Action: [...change, "ec2:DescribeSubnets"],
      Resource: ["*"], // EC2 can not describe less than all
    },
    {
      Sid: "NoNetworkInterfacesFromItsCode",
      Effect: "Deny",
      Action: change,
      Resource: ["*"],
      Condition: { ArnEquals: { "lambda:SourceFunctionArn": [functionArn(name, place)] } },
    },
  ];
}
