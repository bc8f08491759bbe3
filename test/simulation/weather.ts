import type { Random } from "./random.ts";

/** What becomes of one call of a worker to a service. */
export type Fate =
  | "done"
  /** An error, and nothing was done. */
  | "refused"
  /** It was done, and the answer is lost. */
  | "lost"
  /** Never done; the client gives up after its time-out. */
  | "hangs"
  /** The client gives up, and later it is done after all. */
  | "late"
  /** A batch of which some items come back. */
  | "partly"
  | "dies_before"
  | "dies_after"
  /** The worker stands still for a while; the request leaves when it wakes up. */
  | "freezes_before"
  /** The worker stands still; the request is on its way. */
  | "freezes_after";

export type Service = "dynamodb" | "http" | "secrets" | "lambda";

/** How likely things are in one history. Every history has its own climate. */
export interface Weather {
  /** From now on nothing goes wrong any more. */
  calm: boolean;
  /** `writes`: a call that changes the data, which can be throttled alone. */
  fateOf(service: Service, writes?: boolean): Fate;
  /** Whether something with this base probability happens now. */
  strikes(trouble: Trouble): boolean;
}

const base = {
  refused: 0.02,
  lost: 0.012,
  hangs: 0.005,
  late: 0.004,
  partly: 0.05,
  dies_before: 0.006,
  dies_after: 0.006,
  freezes_before: 0.004,
  freezes_after: 0.004,
  // Of the API
  throttle: 0.02,
  long_throttle: 0.004,
  server_error: 0.02,
  reset: 0.01,
  truncated: 0.008,
  slow: 0.006,
  silent: 0.003,
  unauthorized: 0.003,
  echo: 0.002,
  not_found: 0.006,
  mutation: 0.25,
  // Of the platform
  duplicate: 0.12,
  delayed: 0.08,
  dropped: 0.08,
  killed: 0.06,
  interrupted: 0.03,
  clock_jump: 0.002,
  old_read: 0.3,
} as const;

export type Trouble = keyof typeof base;

const fates: Record<Service, Fate[]> = {
  dynamodb: [
    "refused",
    "lost",
    "hangs",
    "late",
    "partly",
    "dies_before",
    "dies_after",
    "freezes_before",
    "freezes_after",
  ],
  http: ["dies_before", "dies_after", "freezes_before", "freezes_after"],
  lambda: ["refused", "lost", "dies_before", "dies_after"],
  secrets: ["refused", "dies_before", "dies_after", "freezes_after"],
};

/** A time in which nothing of a service works. */
interface Outage {
  from: number;
  to: number;
}

export function weatherFrom(random: Random, now: () => number, days: { until: number }): Weather {
  const climate = random.split("climate");
  const draws = random.split("draws");
  // A climate without crashes, or with nothing but crashes, finds what an average one hides.
  const likely = Object.fromEntries(
    Object.entries(base).map(([name, p]) => [name, p * climate.pick([0, 0.5, 1, 1, 3])]),
  ) as Record<Trouble, number>;
  const outages = random.split("outages");
  const outage = (): Outage => {
    const from = outages.between(0, days.until);
    return { from, to: from + outages.pick([0, 0, 0, 8_000, 30_000, 90_000]) };
  };
  const ofDynamodb = outage();
  const ofAll = outages.chance(0.5);
  const ofApi = outage();
  const whenDown = outages.pick(["server_error", "silent"] as const);
  const isIn = ({ from, to }: Outage) => from <= now() && now() < to;

  const weather: Weather = {
    calm: false,
    fateOf(service, writes = false) {
      let draw = draws.next();
      if (weather.calm) return "done";
      if (service === "dynamodb" && isIn(ofDynamodb) && (ofAll || writes)) {
        return draws.chance(0.3) ? "hangs" : "refused";
      }
      for (const fate of fates[service]) {
        draw -= likely[fate as Trouble];
        if (draw < 0) return fate;
      }
      return "done";
    },
    strikes(trouble) {
      const struck = draws.chance(likely[trouble]) || (trouble === whenDown && isIn(ofApi));
      return struck && !weather.calm;
    },
  };
  return weather;
}
