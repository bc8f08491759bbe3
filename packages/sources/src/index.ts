import { register } from "@tidetable/core";
import { generic } from "./generic.ts";
import { help_desk } from "./help_desk.ts";
import { incidents } from "./incidents.ts";
import { support } from "./support.ts";
import { ticketing } from "./ticketing.ts";

/** Every source by its name. To add one, write its file and name it here; nothing else changes. */
export const sources = register({
    ticketing,
    help_desk,
    incidents,
    support,
    generic
});

/** Who gets a mail when an alarm of a deployed stage rings, for instance `["ops@example.com"]`. */
export const alarmEmails: string[] = [];
