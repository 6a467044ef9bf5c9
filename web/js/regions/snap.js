// Where a time falls to: beats, bars, onsets, sections or latent frames.
//   {pulse, tempo, spans, seconds} -> beatsOf, barsOf -> linesOf(kind) -> snapped(time)

import { LATENT } from "./time.js";

export const KINDS = ["beat", "bar", "onset", "section", "frame", "free"];
export const BEATS_A_BAR = 4;
export const SLOWEST = 20;
export const FASTEST = 400; // beats a minute that may be entered

// Beats as they were guessed, or even ones at an entered tempo through the first guessed bar.
export function beatsOf({ pulse, tempo, seconds }) {
  const { beats = [], bar = 0 } = pulse ?? {};
  if (!tempo) return { times: beats, bar };
  const step = 60 / Math.min(Math.max(tempo, SLOWEST), FASTEST);
  const before = Math.floor((beats[bar] ?? 0) / step + 1e-9);
  const first = (beats[bar] ?? 0) - before * step;
  const count = Math.max(Math.floor((seconds - first) / step + 1e-9) + 1, 0);
  const times = Array.from({ length: count }, (_, n) => first + n * step);
  return { times, bar: before % BEATS_A_BAR };
}

export function barsOf(known) {
  const { times, bar } = beatsOf(known);
  return times.filter((_, index) => index % BEATS_A_BAR === bar % BEATS_A_BAR);
}

// All lines of a kind, in order; latent frames are too many for that.
export function linesOf(kind, known) {
  if (kind === "beat") return beatsOf(known).times;
  if (kind === "bar") return barsOf(known);
  if (kind === "onset") return known.pulse?.onsets ?? [];
  if (kind === "section") return sectionLines(known.spans ?? []);
  return [];
}

const sectionLines = (spans) => [...new Set(spans.flatMap(({ start, end }) => [start, end]))];

// How many of lines in order lie before a time.
function before(lines, time) {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Those from one time up to another, which is not one of them.
export const within = (lines, from, to) => lines.slice(before(lines, from), before(lines, to));

export function nearest(lines, time) {
  const low = before(lines, time);
  const [earlier, later] = [lines[low - 1], lines[low]];
  if (earlier === undefined) return later;
  return later === undefined || time - earlier <= later - time ? earlier : later;
}

const EVEN = new Set(["beat", "bar"]); // everywhere; onsets and sections only where they are near

// `reach`: seconds within which a line or an end of the clip draws a time to itself.
export function snapped(time, kind, known, reach) {
  const ends = [0, known.seconds].filter((end) => Math.abs(end - time) <= reach);
  if (kind === "free") return time;
  if (kind === "frame") return ends[0] ?? Math.round(time / LATENT) * LATENT;
  const line = nearest(linesOf(kind, known), time);
  const isDrawn = line !== undefined && (EVEN.has(kind) || Math.abs(line - time) <= reach);
  const all = isDrawn ? [...ends, line] : ends;
  if (!all.length) return time;
  return all.reduce((a, b) => (Math.abs(b - time) < Math.abs(a - time) ? b : a));
}

// How far an arrow key goes: to the next line on that side, or a latent frame.
export function stepped(time, way, kind, known) {
  if (kind === "free" || kind === "frame") return time + way * LATENT;
  const lines = linesOf(kind, known);
  const next = way > 0 ? lines.find((one) => one > time + 1e-3) : lines.findLast((one) => one < time - 1e-3);
  return next ?? (way > 0 ? known.seconds : 0);
}
