import { createTidetable } from "@tidetable/sst";

export const deploy = () => createTidetable();
