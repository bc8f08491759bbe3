import { tableArnOf } from "./permissions.ts";
import type { Stage } from "./stage.ts";

/** What `link` lets a function do: read the tables and their indexes, and nothing else. */
export function readPermissions({ plans, location, args }: Stage) {
  const tables = sst.aws.permission({
    actions: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
    // The pattern of a source's tables also covers their indexes.
    resources: location.apply((place) => plans.map(({ name }) => tableArnOf(name, place))),
  });
  const keys = new Set(
    plans.flatMap(({ resources }) => resources.flatMap(({ storage }) => storage.kmsKey ?? [])),
  );
  if (args.kmsKey) keys.add(args.kmsKey);
  if (keys.size === 0) return [tables];
  const decryption = sst.aws.permission({
    actions: ["kms:Decrypt", "kms:DescribeKey"],
    resources: [...keys],
    conditions: location.apply(({ region }) => [
      {
        test: "StringEquals",
        variable: "kms:ViaService",
        values: [`dynamodb.${region}.amazonaws.com`],
      },
    ]),
  });
  return [tables, decryption];
}
