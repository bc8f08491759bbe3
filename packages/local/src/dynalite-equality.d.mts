/** Once per process, before the first request. */
export function compareByValue(): void;
