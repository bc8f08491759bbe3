import type { Stage } from "./stage.ts";

/** Lists what a person does after a deploy. `sst deploy` prints the list. */
export function listNextSteps({ plans, names, args }: Stage): string {
  const onStage = (command: string) => `npx --no tidetable ${command} --stage ${names.stage}`;
  const examples = plans.filter(({ isExample }) => isExample).map(({ name }) => name);
  const lines = [
    ...plans
      .filter(({ secrets }) => secrets.length > 0)
      .map(({ name }) => `${onStage(`secrets set ${name}`)}   asks for its credentials`),
    ...plans
      .filter(({ isExample }) => !isExample)
      .map(({ name }) => `${onStage(`run ${name}`)}   runs it now, not first by its schedule`),
    ...(args.kmsKey ? [] : plans)
      .filter(({ resources }) => resources.some(({ storage }) => storage.kmsKey))
      .map(
        ({ name }) =>
          `The kms_key of ${name} is for its tables. The state table, with records that were set aside ` +
          "and fields that children need, has DynamoDB's own key, unless the component has a kmsKey.",
      ),
    ...(examples.length > 0
      ? [
          `The schedules of ${examples.join(", ")} are off: base_url is a host for examples. ` +
            "Write yours into the sources and deploy again.",
        ]
      : []),
  ];
  return ["", ...lines].join("\n");
}
