/** The parts of a written time, in two digits each but for the year. */
export interface WrittenTime {
  year: string;
  month: string;
  day: string;
  hours: string;
  minutes: string;
  seconds: string;
  fraction: string;
  /** An offset such as `+02:00`, the name of a zone, or undefined for a time without either. */
  zone: string | undefined;
  hasTimeOfDay: boolean;
}

/** A way to write times. Cursors are sent in the way in which the API has written them. */
export interface TimeFormat {
  /** Undefined for a string that is not written in this way. */
  read: (text: string) => WrittenTime | undefined;
  /** Writes a local time in the same style as `model`, a string in this format. */
  write: (time: Omit<WrittenTime, "zone" | "hasTimeOfDay">, model: string) => string;
}
