/*
 * Characters that steer a terminal, turn the direction of text round or begin a line where none is
 * expected. An API, a file or a message that somebody sent may hold them.
 */

const controls = /\r\n|[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Text in which such characters are written as `\u001b`, as in JSON. Line breaks and tabs stay. */
export const printable = (text: string): string =>
  text.replace(controls, (match) => (/[\n\t]/.test(match) ? match : escapeCharacter(match)));

/** The same on a single line. */
export const printableLine = (text: string): string =>
  printable(text.replace(/[\r\n\t\u2028\u2029]+/g, " "));

const escapeCharacter = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
