import {
  failureQueueName,
  type Names,
  type SourcePlan,
  scheduleFunctionName,
  tableName,
  workerFunctionName,
} from "@tidetable/core";

/** Characters in a name, by what it names. */
const limits = { "Lambda function": 64, "DynamoDB table": 255, "SQS queue": 80 };

interface Named {
  what: keyof typeof limits;
  name: string;
  hint: string;
}

/** Pure: the names that AWS would refuse, each with the way out. */
export function tooLong(plans: SourcePlan[], names: Names): string[] {
  const shorterStage = `use a shorter stage than ${names.stage}`;
  const all: Named[] = [
    { what: "Lambda function", name: scheduleFunctionName(names), hint: shorterStage },
    { what: "SQS queue", name: failureQueueName(names), hint: shorterStage },
    ...plans.flatMap(({ name: source, resources }): Named[] => [
      {
        what: "Lambda function",
        name: workerFunctionName(names, source),
        hint: `give the source ${source} a shorter name, or ${shorterStage}`,
      },
      ...resources.map(
        (resource): Named => ({
          what: "DynamoDB table",
          name: tableName(names, resource),
          hint: `give ${source}/${resource.name} a shorter table_name, or ${shorterStage}`,
        }),
      ),
    ]),
  ];
  return all
    .filter(({ what, name }) => name.length > limits[what])
    .map(
      ({ what, name, hint }) =>
        `${name}: a ${what} has at most ${limits[what]} characters, and this one ${name.length}; ${hint}`,
    );
}
