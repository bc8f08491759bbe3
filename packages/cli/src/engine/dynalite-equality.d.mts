/** Makes dynalite compare maps and lists by value. Called once per process, before the first request. */
export function compareByValue(): void;
