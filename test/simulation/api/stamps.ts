import type { StampFormat } from "../draw/levels.ts";

const SECOND = 1_000;
const DAY = 86_400_000;

/** What a stamp in this format can tell apart. */
export const grain: Record<StampFormat, number> = {
  iso: 1,
  iso_s: SECOND,
  epoch_s: SECOND,
  date: DAY,
  rfc: SECOND,
  naive: 1,
};

/** How far east of UTC the API is that writes naive local times. */
const EAST_MS = 2 * 3_600_000;

/** Pure: a time of the API's clock as it writes it in this format. */
export function stampText(ms: number, format: StampFormat): string | number {
  const floored = Math.floor(ms / grain[format]) * grain[format];
  const iso = new Date(floored).toISOString();
  switch (format) {
    case "iso":
      return iso;
    case "iso_s":
      return iso.replace(".000Z", "Z");
    case "epoch_s":
      return floored / SECOND;
    case "date":
      return iso.slice(0, 10);
    case "rfc":
      return new Date(floored).toUTCString();
    case "naive":
      return new Date(floored + EAST_MS).toISOString().slice(0, -1);
  }
}

/** Pure: the time that such a text stands for, as the API reads it. */
export function stampMs(text: string, format: StampFormat): number {
  if (format === "epoch_s") return Number(text) * SECOND;
  if (format === "naive") return Date.parse(`${text}Z`) - EAST_MS;
  return Date.parse(text);
}
