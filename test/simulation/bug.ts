/** A change of the engine that breaks a promise; the simulation has to notice each of them. */
export interface Bug {
  name: string;
  /** Of docs/reliability.md. */
  promise: string;
  /** The comment `planted: <marker>` stands before the code that is replaced. */
  marker: string;
  /** The code that takes its place; `$&` stands for the code that was there. */
  replacement: string;
}
