import type { Names } from "@tidetable/core/plan";
import type { StageLocation, Statement } from "./permissions.ts";

/** Asks AWS for the partition, the region and the account of the deploy. */
export async function locateStage(
  names: Names,
  kmsKey: string | undefined,
): Promise<StageLocation> {
  const [{ partition }, { region }, { accountId: account }] = await Promise.all([
    aws.getPartition(),
    aws.getRegion(),
    aws.getCallerIdentity(),
  ]);
  return { names, partition, region, account, kmsKey };
}

/** Restricts the role of a function, as SST proposes it, to Lambda and to the given statements. */
export function restrictRole(statements: $util.Output<Statement[]>) {
  const ownPolicy = { name: "tidetable", policy: statements.apply(policyJson) };
  return (role: aws.iam.RoleArgs): undefined => {
    if ($dev) {
      // `sst dev` runs the code on a laptop, which needs SST's own permissions as well.
      role.inlinePolicies = $output(role.inlinePolicies).apply((sstPolicies) => [
        ...(sstPolicies ?? []),
        ownPolicy,
      ]);
      return;
    }
    // Anybody in the account may assume SST's role.
    role.assumeRolePolicy = policyJson([
      {
        Effect: "Allow",
        Action: ["sts:AssumeRole"],
        Principal: { Service: "lambda.amazonaws.com" },
      },
    ]);
    // SST's managed policies let a function write to every log group.
    role.managedPolicyArns = [];
    role.inlinePolicies = [ownPolicy];
  };
}

const policyJson = (Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
