/** Forms of dates and times that do not sort as strings, or whose parts have no certain order. */
const dateForms: readonly RegExp[] = [
  // 31.12.2025, 12/31/25, 1-2-2026
  /(?<![\w.:/-])\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2})(?=$|[ Tt,])/,
  // 2026-1-5, 2026-01-01 09:00 AM. A string such as 2026-01-15-0001 sorts well.
  /(?<![\w.:/-])\d{4}([./-])\d{1,2}\1\d{1,2}(?=$|[ Tt,])/,
  // 5 January 2026, 05-Jan-26, 5th of May
  /(?<![\w-])\d{1,2}(?:st|nd|rd|th)?(?: of)?[ .,/-]+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?!\w)/i,
  // Jan 5, 2026
  /(?<![\w-])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ .,/-]+\d{1,2}(?:st|nd|rd|th)?(?!\w)/i,
  // 5. März 2026, 5 de mayo de 2026
  /^\d{1,2}\.? (?:de )?\p{L}{3,}\.?,? (?:de )?\d{4}\b/u,
  // 10:15, 9:05:00 pm
  /^\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?$/i,
  // 5 PM
  /(?<!\w)\d{1,2} [ap]\.?m\.?(?!\w)/i,
  // 3 weeks ago, 5m ago
  /(?<![a-z])(?:second|minute|hour|day|week|month|year|sec|min|hr|[smhdwy])s? ago\b/i,
  /^(?:just now|now|today|yesterday|tomorrow)\b/i,
];

/**
 * Pure: whether a string looks like a date or time, although `parseTime` does not know its form. As a
 * cursor such a string would be compared letter by letter, and rows would be lost.
 */
export const looksLikeDate = (text: string): boolean =>
  text.length <= 100 && dateForms.some((form) => form.test(text));
