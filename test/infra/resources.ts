import { planSource, type Source, type SourcePlan } from "@tidetable/core";
import type { StageLocation } from "../../stacks/permissions.ts";
import type { Deployed } from "./harness.ts";

/*
 * What tests ask of a deployed stage.
 */

export const TABLE = "aws:dynamodb/table:Table";
export const ROLE = "aws:iam/role:Role";
export const FUNCTION = "aws:lambda/function:Function";
export const SCHEDULE = "aws:scheduler/schedule:Schedule";
export const SECRET = "aws:secretsmanager/secret:Secret";
export const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";

export const plansOf = (sources: Readonly<Record<string, Source>>): SourcePlan[] =>
  Object.entries(sources).map(([name, source]) => planSource(source, name));

/** Where the stand-in for Pulumi says that a stage is. */
export const placeOf = (stage: string): StageLocation => ({
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

/** The inputs of the one resource of this physical name. */
export function named(deployed: Deployed, type: string, name: string) {
  const found = inputsOf(deployed, type).filter((inputs) => inputs.name === name);
  if (found.length === 1) return found[0];
  throw new Error(`${found.length} × ${name} among ${namesOf(deployed, type).join(", ")}`);
}

interface Allowed {
  Effect: string;
  Action: string[];
  Resource: string[];
}

/** A policy is ours, in IAM's words, or SST's, in Pulumi's. */
function statementsOf(policy: string): Allowed[] {
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

/** All roles by what owns them: `worker-ticketing`, `schedule-ticketing`, `resume`. */
export const rolesOf = (deployed: Deployed) =>
  Object.fromEntries(
    ofType(deployed, ROLE).map(({ urn, inputs }) => {
      const { inlinePolicies, managedPolicyArns = [], assumeRolePolicy } = inputs;
      const statements: Allowed[] = inlinePolicies.flatMap(({ policy }: { policy: string }) =>
        statementsOf(policy),
      );
      const trust =
        typeof assumeRolePolicy === "string" ? JSON.parse(assumeRolePolicy) : assumeRolePolicy;
      const principals = trust.Statement.map(({ Principal }: { Principal: object }) => Principal);
      const owner = urn.replace(/.*::(.*)Role$/, "$1");
      return [owner, { statements, managed: managedPolicyArns, principals }];
    }),
  );
