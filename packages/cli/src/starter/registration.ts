/*
 * Registers a source in `sources/index.ts`. The file is the user's, so only the two places that `init`
 * wrote are touched: the imports at the top, and the braces of `register`.
 */

/** `register({ crm, shop })` with plain names only, on one line or more. */
const registerCall = /\bregister\(\{([\s\w$,]*)\}\)/;

/** The lines that register a source by hand. */
export const registrationLines = (name: string): string[] => [
  `import ${name} from "./${name}.js";`,
  `export const sources = register({ ${name} });`,
];

/** Pure: the text with the source registered; undefined where the file has another shape. */
export function withRegistered(text: string, name: string): string | undefined {
  const call = registerCall.exec(text);
  if (!call) return undefined;
  const names = (call[1] ?? "").split(",").flatMap((part) => part.trim() || []);
  if (names.includes(name)) return text;
  const registered = `register({ ${[...names, name].join(", ")} })`;
  const lines = text.replace(registerCall, () => registered).split("\n");
  const lastImport = lines.findLastIndex((line) => /^import\b/.test(line));
  lines.splice(lastImport + 1, 0, `import ${name} from "./${name}.js";`);
  return lines.join("\n");
}
