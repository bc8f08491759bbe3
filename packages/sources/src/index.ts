import { register } from "@tidetable/core";
import { generic } from "./generic.ts";
import { help_desk } from "./help_desk.ts";
import { incidents } from "./incidents.ts";
import { support } from "./support.ts";
import { ticketing } from "./ticketing.ts";

/** The registered sources, by name. To add a source, write its file and register it here. */
export const sources = register({
    ticketing,
    help_desk,
    incidents,
    support,
    generic
});
