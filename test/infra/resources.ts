import type { Source } from "@tidetable/core";
import { planSource, type SourcePlan } from "@tidetable/core/plan";
import type { StageLocation } from "../../packages/sst/src/permissions.ts";
import type { Deployed } from "./harness.ts";

/*
 * Queries over the resources of a deployed stage.
 */

export const TABLE = "aws:dynamodb/table:Table";
export const ROLE = "aws:iam/role:Role";
export const FUNCTION = "aws:lambda/function:Function";
export const SCHEDULE = "aws:scheduler/schedule:Schedule";
export const SECRET = "aws:secretsmanager/secret:Secret";
export const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";

export const plansOf = (sources: Readonly<Record<string, Source>>): SourcePlan[] =>
  Object.entries(sources).map(([name, source]) => planSource(source, name));

/** The location of a stage, as the stand-in for Pulumi gives it. */
export const locationOf = (stage: string): StageLocation => ({
  names: { app: "tidetable", stage },
  ...{ partition: "aws", region: "us-east-1", account: "123456789012" },
});

export const ofType = ({ resources }: Deployed, type: string) =>
  resources.filter((resource) => resource.type === type);

export const inputsOf = (deployed: Deployed, type: string) =>
  ofType(deployed, type).map(({ inputs }) => inputs);

export const namesOf = (deployed: Deployed, type: string): string[] =>
  inputsOf(deployed, type)
    .map(({ name }) => name)
    .sort();

/** The inputs of the only resource with the physical name. */
export function inputsNamed(deployed: Deployed, type: string, name: string) {
  const matches = inputsOf(deployed, type).filter((inputs) => inputs.name === name);
  if (matches.length === 1) return matches[0];
  throw new Error(`${matches.length} × ${name} among ${namesOf(deployed, type).join(", ")}`);
}

interface AllowStatement {
  Effect: string;
  Action: string[];
  Resource: string[];
}

/** Reads our policies, which are IAM's JSON, and those of SST, which have Pulumi's names. */
function statementsOf(policy: string): AllowStatement[] {
  const { Statement, statements } = JSON.parse(policy);
  return (
    Statement ??
    statements.map(({ actions, resources }: Record<string, string[]>) => ({
      Effect: "Allow",
      Action: actions,
      Resource: resources,
    }))
  );
}

/** Every role by its owner in the component: `worker-ticketing`, `schedule-ticketing`, `resume`. */
export const rolesOf = (deployed: Deployed) =>
  Object.fromEntries(
    ofType(deployed, ROLE).map(({ urn, inputs }) => {
      const { inlinePolicies, managedPolicyArns = [], assumeRolePolicy } = inputs;
      const statements: AllowStatement[] = inlinePolicies.flatMap(
        ({ policy }: { policy: string }) => statementsOf(policy),
      );
      const trust =
        typeof assumeRolePolicy === "string" ? JSON.parse(assumeRolePolicy) : assumeRolePolicy;
      const principals = (trust.Statement ?? trust.statements).map(
        (statement: { Principal?: object; principals?: object }) =>
          statement.Principal ?? statement.principals,
      );
      const owner = urn.replace(/.*::(?:Mirror-)?(.*)Role$/, "$1");
      return [owner, { statements, managed: managedPolicyArns, principals }];
    }),
  );
