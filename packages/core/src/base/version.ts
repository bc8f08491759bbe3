/** The version of all packages, which are released together. scripts/release.mjs writes it. */
export const version = "0.1.0";
