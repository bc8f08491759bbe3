import { scheduler } from "@tidetable/core/lambda";
import { sources } from "@tidetable/sources";

export const handler = scheduler({ sources });
