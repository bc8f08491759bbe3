import { sources } from "@tidetable/sources";
import { describe, expect, it } from "vitest";
import { scheduleStatements, workerStatements } from "../../stacks/permissions.ts";
import { sources as orders } from "./fixtures/orders.ts";
import { placeOf, plansOf } from "./resources.ts";

const place = placeOf("dev");
const [ticketing] = plansOf({ ticketing: sources["ticketing"] ?? orders.orders });
const [demanding] = plansOf(orders);
if (!ticketing || !demanding) throw new Error("two sources have two plans");

describe("a worker may", () => {
  it("use its tables, its part of the state, its secret, its logs and the failure queue", () => {
    expect(workerStatements(ticketing, place)).toEqual([
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

  it("ask for no secret when its source has none", () => {
    const sids = workerStatements({ ...ticketing, secrets: [] }, place).map(({ Sid }) => Sid);
    expect(sids).not.toContain("ItsSecret");
  });

  it("open its tables' own key, through DynamoDB", () => {
    expect(workerStatements(demanding, place)).toContainEqual({
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

  it("write its secret only where a refresh token rotates", () => {
    const actions = (rotatesSecret: boolean) =>
      workerStatements({ ...demanding, rotatesSecret }, place).flatMap(({ Action }) => Action);
    expect(actions(false)).not.toContain("secretsmanager:PutSecretValue");
    expect(actions(true)).toContain("secretsmanager:PutSecretValue");
  });

  it("have a network interface in its own network, but not make one by its code", () => {
    const inCode = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:UnassignPrivateIpAddresses",
    ];
    const name = "tidetable-dev-worker-orders";
    expect(workerStatements(demanding, place).slice(-2)).toEqual([
      {
        Sid: "NetworkInterfaces",
        Effect: "Allow",
        Action: [...inCode, "ec2:DescribeSubnets"],
        Resource: ["*"],
      },
      {
        Sid: "NoNetworkInterfacesFromItsCode",
        Effect: "Deny",
        Action: inCode,
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

describe("the schedule function may", () => {
  it("look at the state and invoke the workers", () => {
    expect(scheduleStatements([ticketing, demanding], place)).toEqual([
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

/** IAM takes so many characters of inline policies per role, white space aside. */
const policyLimit = 10_240;

it("a source with 200 resources fits into its role", () => {
  const [first] = ticketing.resources;
  if (!first) throw new Error("the source has a resource");
  const resources = Array.from({ length: 200 }, (_, n) => ({ ...first, table: `table_${n}` }));
  const statements = workerStatements({ ...ticketing, resources }, place);
  expect(JSON.stringify(statements).length).toBeLessThan(policyLimit);
});
