import { batches } from "../support/dynamodb.ts";

// `function: { sdk_writes: true }` sends batches through the SDK's commands. The suites of the batches
// are imported again with such clients, so that both ways keep the same promises.
batches.throughCommands = true;
await import("./batch-writer.test.ts");
await import("./conditional-writer.test.ts");
await import("./indexes.test.ts");
await import("../load/compare.test.ts");
await import("../load/changed-rows.test.ts");
