const units: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The longest time between two firings of `rate(…)` or `cron(…)`, in milliseconds. */
export function longestGap(expression: string): number {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate) return Number(rate[1]) * (units[rate[2] ?? ""] ?? 0);
  return 31 * 86_400_000;
}
