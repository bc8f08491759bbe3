/** The version of this package. scripts/release.mjs writes it into every package at once. */
export const version = "0.1.0";
