import { planSource } from "../../packages/core/src/config/plan.ts";
import { dlt, rest_api_source } from "../../packages/core/src/config/source.ts";
import {
  type StageLocation,
  type Statement,
  scheduleStatements,
  workerStatements,
} from "../../packages/sst/src/permissions.ts";

const location: StageLocation = {
  names: { app: "tidetable", stage: "<stage>" },
  ...{ partition: "aws", region: "<region>", account: "<account>" },
  kmsKey: "<kmsKey of the component>",
};

/** A source with every option that adds a statement to a role. */
const sourceWithEverything = {
  ...planSource(
    rest_api_source(
      {
        client: {
          base_url: "https://api.example.com",
          auth: {
            type: "oauth2_refresh_token",
            access_token_url: "https://id.example.com/token",
            refresh_token: dlt.secrets["refresh_token"],
          },
        },
        resources: [{ name: "rows", endpoint: { data_selector: "data" } }],
      },
      {
        function: { vpc: { subnets: ["subnet-1"], security_groups: ["sg-1"] } },
        table: { kms_key: "<kms_key of the table>" },
      },
    ),
    "desk",
  ),
  name: "<source>",
};

/** Every statement of the two roles; names that differ from stage to stage stand in angle brackets. */
export const declaredStatements: Record<"worker" | "schedule", Statement[]> = {
  worker: workerStatements(sourceWithEverything, location),
  schedule: scheduleStatements([sourceWithEverything], location),
};

const reasonsForKey = (sid: string, reason: string) =>
  Object.fromEntries(
    ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"].map(
      (action) => [`${sid} kms:${action}`, reason],
    ),
  );

/** The reasons for actions that are granted although no request of a function's code needs them. */
export const reasonsForUnneededActions: Record<string, string> = {
  "ItsPartOfTheState dynamodb:DeleteItem":
    "later: to let go of a lock, and of blocks that are merged",
  "ItsPartOfTheState dynamodb:Query": "later: to find the blocks of a resource",
  "EventsThatFailed sqs:SendMessage": "Lambda's own: it sends an event that has failed three times",
  "ItsLogs logs:CreateLogStream": "Lambda's own: it writes what the function prints",
  "ItsLogs logs:PutLogEvents": "Lambda's own: it writes what the function prints",
  "ItsRefreshToken secretsmanager:PutSecretValue":
    "only with `oauth2_refresh_token`: the API's new token, back into the secret",
  ...reasonsForKey("KeysOfItsTables", "DynamoDB's own: it opens a table with a key of yours"),
  ...reasonsForKey("KeyOfTheStage", "AWS's own: it opens what is under the key of the stage"),
  ...Object.fromEntries(
    [
      "AssignPrivateIpAddresses",
      "CreateNetworkInterface",
      "DeleteNetworkInterface",
      "DescribeNetworkInterfaces",
      "DescribeSubnets",
      "UnassignPrivateIpAddresses",
    ].map((action) => [
      `NetworkInterfaces ec2:${action}`,
      "Lambda's own: it connects itself with your network",
    ]),
  ),
};
