import { toBytes } from "./reading.ts";

/** The names that HTML gives to the punctuation of ASCII and to characters that nobody sees. */
const named: Record<string, string> = {
  "\t": "Tab",
  "\n": "NewLine",
  "!": "excl",
  '"': "quot QUOT",
  "#": "num",
  $: "dollar",
  "%": "percnt",
  "&": "amp AMP",
  "'": "apos",
  "(": "lpar",
  ")": "rpar",
  "*": "ast midast",
  "+": "plus",
  ",": "comma",
  ".": "period",
  "/": "sol",
  ":": "colon",
  ";": "semi",
  "<": "lt LT",
  "=": "equals",
  ">": "gt GT",
  "?": "quest",
  "@": "commat",
  "[": "lsqb lbrack",
  "\\": "bsol",
  "]": "rsqb rbrack",
  "^": "Hat",
  _: "lowbar UnderBar",
  "`": "grave DiacriticalGrave",
  "{": "lcub lbrace",
  "|": "verbar vert VerticalLine",
  "}": "rcub rbrace",
  "\u200b":
    "ZeroWidthSpace NegativeVeryThinSpace NegativeThinSpace NegativeMediumSpace NegativeThickSpace",
  "\u200c": "zwnj",
  "\u200d": "zwj",
  "\u200e": "lrm",
  "\u200f": "rlm",
  "\u2010": "hyphen dash",
  "\u2060": "NoBreak",
  "\u2061": "ApplyFunction af",
  "\u2062": "InvisibleTimes it",
  "\u2063": "InvisibleComma ic",
};

/** The names of Latin-1 from U+00A0 to U+00FF, in order. */
const latin =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

const entities: ReadonlyMap<string, string> = new Map([
  ...Object.entries(named).flatMap(([character, names]) =>
    names.split(" ").map((name): [string, string] => [name, toBytes(character)]),
  ),
  ...latin
    .split(" ")
    .map((name, index): [string, string] => [name, toBytes(String.fromCharCode(0xa0 + index))]),
]);

/** The bytes of a character by its name in HTML; undefined for a name that is not known. */
export const findEntity = (name: string): string | undefined => entities.get(name);
