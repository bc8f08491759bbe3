import {
  InvokeCommand,
  type LambdaClient,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import {
  ConfigError,
  checkTable,
  createSecretsManager,
  isFailure,
  openSecretStore,
} from "@tidetable/core/internal";
import {
  type Problem,
  type SourcePlan,
  scheduleFunctionName,
  workerFunctionName,
} from "@tidetable/core/plan";
import type { Session } from "../base/session-type.ts";
import { notDeployedError } from "./aws-errors.ts";

/** Finds missing parts of a stage: secret members, tables with the right keys, functions. */
export async function findStageProblems(
  plans: SourcePlan[],
  session: Session,
  { lambda, warn }: { lambda: LambdaClient; warn: (line: string) => void },
): Promise<Problem[]> {
  const { names } = session;
  const functionNames = [
    scheduleFunctionName(names),
    ...plans.map(({ name }) => workerFunctionName(names, name)),
  ];
  const problems = await Promise.all([
    ...plans.map((plan) => findSecretProblems(plan, session, warn)),
    ...plans.map((plan) => findTableProblems(plan, session)),
    ...functionNames.map((name) => findFunctionProblems(name, names.stage, lambda)),
  ]);
  return problems.flat();
}

async function findSecretProblems(
  { name, secrets }: SourcePlan,
  { names, clock }: Session,
  warn: (line: string) => void,
): Promise<Problem[]> {
  const secretsManager = createSecretsManager();
  try {
    await openSecretStore({ secretsManager, names, clock }, name, secrets).read();
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (error instanceof ConfigError) return [problemAt(name, error)];
    // The worker may be allowed to read the secret even if this person is not.
    warn(`${error.message}, and so only its worker can tell whether it is right`);
  } finally {
    secretsManager.destroy();
  }
  return [];
}

async function findTableProblems({ resources }: SourcePlan, session: Session): Promise<Problem[]> {
  const storedResources = resources.filter(({ selected }) => selected);
  const problems = storedResources.map((resource) =>
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

/** Checks with a dry run whether a function exists and the person may invoke the function. */
async function findFunctionProblems(
  functionName: string,
  stage: string,
  lambda: LambdaClient,
): Promise<readonly Problem[]> {
  const command = new InvokeCommand({ FunctionName: functionName, InvocationType: "DryRun" });
  try {
    await lambda.send(command).catch(rethrowFunctionMissing(stage, functionName));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** Makes an error handler that turns Lambda's "not found" into a problem of the deployment. */
export const rethrowFunctionMissing = (stage: string, functionName: string) => (error: unknown) => {
  throw error instanceof ResourceNotFoundException
    ? notDeployedError(stage, `there is no function ${functionName}`)
    : error;
};

const problemAt = (
  path: string,
  { message, hint }: { message: string; hint: string | undefined },
): Problem => ({ path, message, hint });
