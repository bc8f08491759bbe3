import {
  failureQueueName,
  type Names,
  type SourcePlan,
  scheduleFunctionName,
  tableName,
  workerFunctionName,
} from "@tidetable/core/plan";

/** AWS's limits for the characters of a name. */
const maxCharacters = { "Lambda function": 64, "DynamoDB table": 255, "SQS queue": 80 };

interface PhysicalName {
  kind: keyof typeof maxCharacters;
  name: string;
  hint: string;
}

/** Returns a message for every name that AWS would refuse, with the way out. */
export function findLongNames(plans: SourcePlan[], names: Names): string[] {
  return [...stageNames(names), ...plans.flatMap((plan) => sourceNames(plan, names))]
    .filter(({ kind, name }) => name.length > maxCharacters[kind])
    .map(
      ({ kind, name, hint }) =>
        `${name}: a ${kind} has at most ${maxCharacters[kind]} characters, and this one ${name.length}; ${hint}`,
    );
}

const shorterStage = ({ stage }: Names) => `use a shorter stage than ${stage}`;

const stageNames = (names: Names): PhysicalName[] => [
  { kind: "Lambda function", name: scheduleFunctionName(names), hint: shorterStage(names) },
  { kind: "SQS queue", name: failureQueueName(names), hint: shorterStage(names) },
];

const sourceNames = ({ name: source, resources }: SourcePlan, names: Names): PhysicalName[] => [
  {
    kind: "Lambda function",
    name: workerFunctionName(names, source),
    hint: `give the source ${source} a shorter name, or ${shorterStage(names)}`,
  },
  ...resources.map(
    (resource): PhysicalName => ({
      kind: "DynamoDB table",
      name: tableName(names, resource),
      hint: `give ${source}/${resource.name} a shorter table_name, or ${shorterStage(names)}`,
    }),
  ),
];
