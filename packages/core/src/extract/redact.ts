/** The values that must not be seen, and what makes text of the API fit for a message. */
export interface Redactor {
  /** From now on this value is hidden. Returns it. */
  learn(value: string): string;
  /** At most 200 printable characters in one line, without a learned value in any usual encoding. */
  quote(text: string): string;
}

const QUOTED_CHARACTERS = 200;

export function openRedactor(): Redactor {
  const forms = new Set<string>();
  return {
    learn(value) {
      for (const form of formsOf(value)) forms.add(form);
      return value;
    },
    // Hidden first, cut afterwards: a cut through the middle would leave half of a key.
    quote(text) {
      const hidden = forms.size === 0 ? text : text.replace(anyOf(forms), "[secret]");
      const line = hidden
        .slice(0, 10_000)
        .replace(/[\p{C}\s]+/gu, " ")
        .trim();
      return [...line].slice(0, QUOTED_CHARACTERS).join("");
    },
  };
}

/** How APIs echo a value: as it is, in URLs, forms, JSON and headers. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const forms = [
    value,
    encodeURIComponent(value),
    new URLSearchParams([["", value]]).toString().slice(1),
    json,
    // As PHP and Python write JSON, and as a page of HTML shows it.
    json.replaceAll("/", "\\/"),
    json.replace(/[^\x20-\x7e]/g, escaped),
    value.replace(/[&<>"']/g, (found) => entities[found] ?? found),
    bytes.toString("base64"),
    bytes.toString("base64url"),
  ];
  return forms.filter((form) => form !== "");
}

const escaped = (found: string) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

// The longest first, or a short form would break a long one in two. The case of %2F may differ.
function anyOf(forms: ReadonlySet<string>): RegExp {
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  return new RegExp(
    sorted.map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|"),
    "gi",
  );
}
