/*
 * dlt files in the manner of those that people have in their repositories. All are written for this
 * suite. A file is taken, and its config is written down by hand, or it is refused for a reason.
 */

export interface DltFile {
  title: string;
  python: string;
  /** Other files of the project, by path. */
  beside?: Record<string, string>;
  /** `--name`, and the line in `crm.py:LINE`. */
  name?: string;
  line?: number;
}

export interface TakenFile extends DltFile {
  /** The dict; `{"$secret": "x"}` and `{"$value": "x"}` are references. */
  config: unknown;
  /** Parts of what is said on standard error. */
  notes?: string[];
}

export interface RefusedFile extends DltFile {
  /** Parts of the problems, as `crm.py:line:column: message`, in their order. */
  problems: string[];
  /** What the user is told to write instead, in the first of them. */
  hint: string;
}

/** Takes the indentation of a template literal's first line away from all of its lines. */
export function python(strings: TemplateStringsArray): string {
  const text = (strings.raw[0] ?? "").replace(/^\n/, "");
  const margin = /^ */.exec(text)?.[0] ?? "";
  return text
    .split("\n")
    .map((line) => (line.startsWith(margin) ? line.slice(margin.length) : line.trimStart()))
    .join("\n");
}

export const secret = (name: string) => ({ $secret: name });
export const value = (name: string, ...fallback: unknown[]) =>
  fallback.length > 0 ? { $value: name, default: fallback[0] } : { $value: name };
