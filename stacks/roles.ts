import type { Place, Statement } from "./permissions";
import { names } from "./plans";

/** Resolves to where this deploy goes. */
export async function here(): Promise<Place> {
  const [{ partition }, { region }, { accountId: account }] = await Promise.all([
    aws.getPartition(),
    aws.getRegion(),
    aws.getCallerIdentity(),
  ]);
  return { names, partition, region, account };
}

/** Makes the role that SST has drawn up one that Lambda alone assumes and that may do just this. */
export function allowing(statements: Statement[]) {
  const ours = { name: "tidetable", policy: policy(statements) };
  return (role: aws.iam.RoleArgs): undefined => {
    if ($dev) {
      // `sst dev` runs the code on a laptop, which needs SST's own permissions as well.
      role.inlinePolicies = $output(role.inlinePolicies).apply((own) => [...(own ?? []), ours]);
      return;
    }
    // SST's role can be assumed by everything in the account.
    role.assumeRolePolicy = policy([
      {
        Effect: "Allow",
        Action: ["sts:AssumeRole"],
        Principal: { Service: "lambda.amazonaws.com" },
      },
    ]);
    // Those let a function write to every log group.
    role.managedPolicyArns = [];
    role.inlinePolicies = [ours];
  };
}

const policy = (Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
