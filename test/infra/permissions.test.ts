import { sources } from "@tidetable/sources";
import { describe, expect, it } from "vitest";
import { scheduleStatements, workerStatements } from "../../packages/sst/src/permissions.ts";
import { sources as orders } from "./fixtures/orders.ts";
import { locationOf, plansOf } from "./resources.ts";

const location = locationOf("dev");
const [ticketing] = plansOf({ ticketing: sources["ticketing"] ?? orders.orders });
const [ordersPlan] = plansOf(orders);
if (!ticketing || !ordersPlan) throw new Error("a source has no plan");

describe("a worker", () => {
  it("a worker may use its tables, its part of the state, its secret, its logs and the failure queue", () => {
    expect(workerStatements(ticketing, location)).toEqual([
      {
        Sid: "ItsTables",
        Effect: "Allow",
        Action: [
          "dynamodb:BatchGetItem",
          "dynamodb:BatchWriteItem",
          "dynamodb:DeleteItem",
          "dynamodb:DescribeTable",
          "dynamodb:PutItem",
          "dynamodb:Scan",
        ],
        Resource: ["arn:aws:dynamodb:us-east-1:123456789012:table/tidetable-dev-ticketing.*"],
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
        Resource: ["arn:aws:dynamodb:us-east-1:123456789012:table/tidetable-dev-state"],
        Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["ticketing#*"] } },
      },
      {
        Sid: "ItsSecret",
        Effect: "Allow",
        Action: ["secretsmanager:GetSecretValue"],
        Resource: [
          "arn:aws:secretsmanager:us-east-1:123456789012:secret:tidetable/dev/ticketing-??????",
        ],
        Condition: { StringEquals: { "secretsmanager:VersionStage": ["AWSCURRENT"] } },
      },
      {
        Sid: "EventsThatFailed",
        Effect: "Allow",
        Action: ["sqs:SendMessage"],
        Resource: ["arn:aws:sqs:us-east-1:123456789012:tidetable-dev-failures"],
      },
      {
        Sid: "ItsLogs",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: [
          "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/tidetable-dev-worker-ticketing:*",
        ],
      },
    ]);
  });

  it("a worker whose source has no secret may not read secrets", () => {
    const sids = workerStatements({ ...ticketing, secrets: [] }, location).map(({ Sid }) => Sid);
    expect(sids).not.toContain("ItsSecret");
  });

  it("a worker may use the encryption key of its tables through DynamoDB", () => {
    expect(workerStatements(ordersPlan, location)).toContainEqual({
      Sid: "KeysOfItsTables",
      Effect: "Allow",
      Action: [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ],
      Resource: ["arn:aws:kms:us-east-1:123456789012:key/orders"],
      Condition: { StringEquals: { "kms:ViaService": ["dynamodb.us-east-1.amazonaws.com"] } },
    });
  });

  it("a worker may write its secret only if a refresh token rotates", () => {
    const actions = (rotatesSecret: boolean) =>
      workerStatements({ ...ordersPlan, rotatesSecret }, location).flatMap(({ Action }) => Action);
    expect(actions(false)).not.toContain("secretsmanager:PutSecretValue");
    expect(actions(true)).toContain("secretsmanager:PutSecretValue");
  });

  it("a worker with a vpc has network interfaces, which its code cannot create", () => {
    const changeActions = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:UnassignPrivateIpAddresses",
    ];
    const name = "tidetable-dev-worker-orders";
    expect(workerStatements(ordersPlan, location).slice(-2)).toEqual([
      {
        Sid: "NetworkInterfaces",
        Effect: "Allow",
        Action: [...changeActions, "ec2:DescribeSubnets"],
        Resource: ["*"],
      },
      {
        Sid: "NoNetworkInterfacesFromItsCode",
        Effect: "Deny",
        Action: changeActions,
        Resource: ["*"],
        Condition: {
          ArnEquals: {
            "lambda:SourceFunctionArn": [`arn:aws:lambda:us-east-1:123456789012:function:${name}`],
          },
        },
      },
    ]);
  });
});

describe("the schedule function", () => {
  it("the schedule function may read the state and invoke the workers", () => {
    expect(scheduleStatements([ticketing, ordersPlan], location)).toEqual([
      {
        Sid: "WhatIsUnfinished",
        Effect: "Allow",
        Action: ["dynamodb:BatchGetItem"],
        Resource: ["arn:aws:dynamodb:us-east-1:123456789012:table/tidetable-dev-state"],
      },
      {
        Sid: "TheWorkers",
        Effect: "Allow",
        Action: ["lambda:InvokeFunction"],
        Resource: [
          "arn:aws:lambda:us-east-1:123456789012:function:tidetable-dev-worker-ticketing",
          "arn:aws:lambda:us-east-1:123456789012:function:tidetable-dev-worker-orders",
        ],
      },
      {
        Sid: "ItsLogs",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: [
          "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/tidetable-dev-schedule:*",
        ],
      },
    ]);
  });
});

/** IAM's limit for the inline policies of a role, in characters without white space. */
const MAX_POLICY_CHARACTERS = 10_240;

it("the permissions of a source with 200 resources fit into a role", () => {
  const [first] = ticketing.resources;
  if (!first) throw new Error("the source has a resource");
  const resources = Array.from({ length: 200 }, (_, n) => ({ ...first, table: `table_${n}` }));
  const statements = workerStatements({ ...ticketing, resources }, location);
  expect(JSON.stringify(statements).length).toBeLessThan(MAX_POLICY_CHARACTERS);
});
