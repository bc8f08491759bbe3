/**
 * Every physical name, in one place. They are fixed, so that no environment variable has to carry
 * a table of them and `--stage` finds what is deployed.
 */
export interface Names {
  app: string;
  stage: string;
}

const prefix = ({ app, stage }: Names) => `${app}-${stage}`;

/** `tidetable-dev-ticketing.tickets`. The dot keeps a source's tables apart from `state`. */
export const tableName = (names: Names, resource: { source: string; table: string }): string =>
  `${prefix(names)}-${resource.source}.${resource.table}`;

export const stateTableName = (names: Names): string => `${prefix(names)}-state`;

export const scheduleFunctionName = (names: Names): string => `${prefix(names)}-schedule`;

export const workerFunctionName = (names: Names, source: string): string =>
  `${prefix(names)}-worker-${source}`;

/** Where events go whose worker has failed three times. */
export const failureQueueName = (names: Names): string => `${prefix(names)}-failures`;

export const secretName = (names: Names, source: string): string =>
  `${names.app}/${names.stage}/${source}`;
