/*
 * Names in AWS follow from app, stage and source. Therefore no environment variable has to carry a
 * name, and `--stage` finds a deployment.
 */

/** The two parts that every name begins with. */
export interface Names {
  app: string;
  stage: string;
}

const prefix = ({ app, stage }: Names) => `${app}-${stage}`;

/** An example is `tidetable-dev-ticketing.tickets`. The dot keeps a source's tables apart from `state`. */
export const tableName = (names: Names, resource: { source: string; table: string }): string =>
  `${prefix(names)}-${resource.source}.${resource.table}`;

export const stateTableName = (names: Names): string => `${prefix(names)}-state`;

export const scheduleFunctionName = (names: Names): string => `${prefix(names)}-schedule`;

export const workerFunctionName = (names: Names, source: string): string =>
  `${prefix(names)}-worker-${source}`;

/** The queue receives an event whose worker has failed three times. */
export const failureQueueName = (names: Names): string => `${prefix(names)}-failures`;

export const secretName = (names: Names, source: string): string =>
  `${names.app}/${names.stage}/${source}`;
