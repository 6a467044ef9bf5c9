// Regions in writing, exactly as acestep_core/tasks/region.py reads and spells them.
//   "10.5:20; -30:-5" <-> [{start, end, startFrom, endFrom}], seconds counted from "start" or "end"

export const START = "start";
export const END = "end";
export const LONGEST = 3600; // seconds from an end, at most

// What Python's strip() takes off, which is not what trim() does.
const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const EDGES = new RegExp(`^${BLANK}+|${BLANK}+$`, "g");
const DIGITS = "\\d+(?:_\\d+)*";
const NUMBER = new RegExp(`^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:[eE][+-]?${DIGITS})?$`);

const strip = (text) => text.replace(EDGES, "");

// Throws an Error whose message is the part that cannot be read.
export function readRegions(text) {
  const words = text.replaceAll("\n", ";").split(";").map(strip).filter(Boolean);
  return words.map(read);
}

function read(word) {
  const at = word.indexOf(":");
  const start = strip(at < 0 ? word : word.slice(0, at));
  const end = at < 0 ? "" : strip(word.slice(at + 1));
  const first = seconds(start || "0");
  const last = seconds(end || "0");
  const isRead = at >= 0 && [first, last].every((one) => one <= LONGEST);
  if (!isRead) throw new Error(word);
  return {
    start: first,
    end: last,
    startFrom: start.startsWith("-") ? END : START,
    endFrom: end.startsWith("-") || !end ? END : START,
  };
}

// As float() reads it; NaN for what it refuses, and for what is no number of seconds.
function seconds(text) {
  const plain = text.replace(/\p{Nd}/gu, asciiDigit);
  return NUMBER.test(plain) ? Math.abs(Number(plain.replaceAll("_", ""))) : NaN;
}

function asciiDigit(digit) {
  const known = digit.normalize("NFKC");
  if (/^\d$/.test(known)) return known;
  const code = digit.codePointAt(0);
  let zero = code; // digits of every script stand in rows of ten
  while (code - zero < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String(code - zero);
}

export function spelled(regions) {
  return regions
    .map((one) => `${place(one.start, one.startFrom)}:${place(one.end, one.endFrom)}`)
    .join("; ");
}

const place = (value, from) => (from === END ? `-${digits(value)}` : digits(value));

// As Python writes a number: an exponent below 0.0001, and of two digits.
function digits(value) {
  if (!value || value >= 1e-4) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}
