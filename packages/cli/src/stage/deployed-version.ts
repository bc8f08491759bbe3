import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { type Names, scheduleFunctionName } from "@tidetable/core/plan";

/**
 * The version of tidetable that a stage runs, which its deployment wrote. Null for a deployment from
 * before, and without the permission to look: it is told beside what a person asked for.
 */
export async function readDeployedVersion(names: Names): Promise<string | null> {
  const lambda = new LambdaClient();
  const command = new GetFunctionConfigurationCommand({
    FunctionName: scheduleFunctionName(names),
  });
  try {
    const { Environment } = await lambda.send(command);
    return Environment?.Variables?.TIDETABLE_VERSION ?? null;
  } catch {
    return null;
  } finally {
    lambda.destroy();
  }
}
