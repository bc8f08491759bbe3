import { plan } from "@tidetable/core";
import { validate } from "@tidetable/core/validate";
import { sources } from "@tidetable/sources";

/** What is deployed: the plans of the registered sources, refused here when a config is wrong. */
export const plans = Object.entries(sources).map(([name, source]) => {
  const problems = validate(source, name);
  if (problems.length > 0) {
    const lines = problems.map(({ path, message, hint }) => `  ${path}: ${message}; ${hint ?? ""}`);
    throw new Error(`the source ${name} is not valid:\n${lines.join("\n")}`);
  }
  return plan(source, name);
});

export const names = { app: $app.name, stage: $app.stage };

export const production = $app.stage === "production";

/** Pulumi's names are letters and digits: `help_desk` becomes `HelpDesk`. */
export const pascal = (...words: string[]): string =>
  words
    .flatMap((word) => word.split("_"))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
