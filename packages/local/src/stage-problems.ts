import {
  InvokeCommand,
  type LambdaClient,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import {
  ConfigError,
  checkTable,
  isFailure,
  type Problem,
  type SourcePlan,
  scheduleFunctionName,
  secretStore,
  secretsManagerClient,
  workerFunctionName,
} from "@tidetable/core";
import type { Session } from "./session-type.ts";
import { notDeployed } from "./stage.ts";

/** What a stage lacks that its sources need: members of secrets, tables with their keys, functions. */
export async function stageProblems(
  plans: SourcePlan[],
  session: Session,
  { lambda, warn }: { lambda: LambdaClient; warn: (line: string) => void },
): Promise<Problem[]> {
  const { names } = session;
  const functions = [
    scheduleFunctionName(names),
    ...plans.map(({ name }) => workerFunctionName(names, name)),
  ];
  const problems = await Promise.all([
    ...plans.map((plan) => secretProblems(plan, session, warn)),
    ...plans.map((plan) => tableProblems(plan, session)),
    ...functions.map((name) => functionProblems(name, names.stage, lambda)),
  ]);
  return problems.flat();
}

async function secretProblems(
  { name, secrets }: SourcePlan,
  { names, clock }: Session,
  warn: (line: string) => void,
): Promise<Problem[]> {
  const secretsManager = secretsManagerClient();
  try {
    await secretStore({ secretsManager, names, clock }, name, secrets).read();
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (error instanceof ConfigError) return [problemAt(name, error)];
    // The person may not be allowed to see it, and the worker still be.
    warn(`${error.message}, and so only its worker can tell whether it is right`);
  } finally {
    secretsManager.destroy();
  }
  return [];
}

async function tableProblems({ resources }: SourcePlan, session: Session): Promise<Problem[]> {
  const stored = resources.filter(({ selected }) => selected);
  const problems = stored.map((resource) =>
    checkTable(session, resource).then(
      () => [],
      (error: unknown) => {
        if (!isFailure(error)) throw error;
        return [problemAt(`${resource.source}.${resource.name}`, error)];
      },
    ),
  );
  return (await Promise.all(problems)).flat();
}

/** Whether it is there and may be called. */
async function functionProblems(
  FunctionName: string,
  stage: string,
  lambda: LambdaClient,
): Promise<readonly Problem[]> {
  const command = new InvokeCommand({ FunctionName, InvocationType: "DryRun" });
  try {
    await lambda.send(command).catch(functionMissing(stage, FunctionName));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

export const functionMissing = (stage: string, name: string) => (error: unknown) => {
  throw error instanceof ResourceNotFoundException
    ? notDeployed(stage, `there is no function ${name}`)
    : error;
};

const problemAt = (
  path: string,
  { message, hint }: { message: string; hint: string | undefined },
) => ({
  path,
  message,
  hint,
});
