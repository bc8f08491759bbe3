// The last line of .ci/run: `N passed, N failed`.
import { printTotal, readSteps } from "./step-results.mjs";

process.exitCode = printTotal(readSteps(process.argv[2]));
