import { worker } from "@tidetable/core/lambda";
import { sources } from "@tidetable/sources";

export const handler = worker({ sources });
