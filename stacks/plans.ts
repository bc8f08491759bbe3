import { plan } from "@tidetable/core";
import { validate } from "@tidetable/core/validate";
import { sources } from "@tidetable/sources";
import { tooLong } from "./limits";

export const names = { app: $app.name, stage: $app.stage };

export const production = $app.stage === "production";

const entries = Object.entries(sources);

refuse(
  "the sources are not valid",
  entries.flatMap(([name, source]) =>
    validate(source, name).map(
      ({ path, message, hint }) => `${name}: ${path}: ${message}${hint ? `; ${hint}` : ""}`,
    ),
  ),
);

/** What is deployed: the plans of the registered sources, once nothing is wrong with them. */
export const plans = entries.map(([name, source]) => plan(source, name));

refuse(`names are too long for the stage ${names.stage}`, tooLong(plans, names));

function refuse(what: string, problems: string[]) {
  if (problems.length > 0) throw new Error([`${what}:`, ...problems].join("\n  "));
}
