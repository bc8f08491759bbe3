/**
 * The milliseconds of processor time that a piece of work takes. A busy machine prolongs the wall
 * clock's time, and hardly this one.
 */
export function cpuTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
