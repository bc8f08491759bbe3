import { expect, it } from "vitest";
import { safeStream } from "../../../packages/cli/src/base/io.ts";

function printed(text: string, isTTY = false): string {
  let output = "";
  const write = (piece: string) => {
    output += piece;
  };
  safeStream({ write, isTTY }).write(text);
  return output;
}

it.each([
  ["ESC", "a\x1b[2Jb", "a\\u001b[2Jb"],
  ["OSC 52, which fills the clipboard", "\x1b]52;c;cm0gLXJm\x07", "\\u001b]52;c;cm0gLXJm\\u0007"],
  ["C1", "a\x9b31mb", "a\\u009b31mb"],
  ["bidirectional controls", "a\u202eb\u2066c", "a\\u202eb\\u2066c"],
  ["a line separator", "a\u2028b", "a\\u2028b"],
  ["a carriage return", "good\rbad", "good\\u000dbad"],
  ["a backspace and DEL", "a\b\x7f", "a\\u0008\\u007f"],
])("%s reaches neither a terminal nor a pipe", (_, text, expected) => {
  for (const isTTY of [true, false]) expect(printed(text, isTTY)).toBe(expected);
});

it("line breaks, tabs, emoji and the own colours of a terminal stay", () => {
  const text = "a\tb\n\x1b[31mc\x1b[39m 👨‍👩‍👧 é\r\n";
  expect(printed(text, true)).toBe(text);
  expect(printed("\x1b[2A\r\x1b[0Ja\n", true)).toBe("\x1b[2A\r\x1b[0Ja\n");
  expect(printed("a\x1b[2A\r\x1b[0Jb\x1b[8mc", true)).toBe(
    "a\\u001b[2A\\u000d\\u001b[0Jb\\u001b[8mc",
  );
});

it("a JSON document stays the same document", () => {
  const document = { a: "x\x9b\u202e\u2028\x7f##[error] ::error::", "::": "\n::error::" };
  const output = printed(`${JSON.stringify(document)}\n`);
  expect(JSON.parse(output)).toEqual(document);
  expect(output).not.toMatch(/##\[|[\x7f-\x9f\u2028\u202e]/);
});

it.each([
  "::error::x",
  "  ::set-output name=a::x",
  "##[error]x",
  "a ##vso[task.setvariable]x",
])("a line that CI would take for a command is none: %s", (line) => {
  const output = printed(`first\n${line}\n`);
  expect(output).not.toMatch(/^\s*::|##\[|##vso\[/m);
  expect(output.replaceAll(" ", "")).toBe(`first\n${line}\n`.replaceAll(" ", ""));
});
