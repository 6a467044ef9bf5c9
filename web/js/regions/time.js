// Seconds and pixels: what part of a clip is seen, how large, with which marks of time.
//   view {from, scale, width}: seconds at the left edge, pixels a second, pixels
//   bounds [first, last]: seconds that can be scrolled to

export const LATENT = 4096 / 44100; // seconds of a latent frame, the finest that a model makes
const MOST_SCALE = 20 / LATENT; // pixels a second
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200];
const LEAST_GAP = 52; // pixels between two marks

export const xOf = (view, time) => (time - view.from) * view.scale;
export const timeAt = (view, x) => view.from + x / view.scale;
export const lastOf = (view) => view.from + view.width / view.scale;

export function fitted(bounds, width) {
  const length = Math.max(bounds[1] - bounds[0], LATENT);
  return { from: bounds[0], scale: Math.max(width, 1) / length, width: Math.max(width, 1) };
}

// Within the bounds, no closer than a latent frame is worth, no wider than everything.
export function kept(view, bounds) {
  const whole = fitted(bounds, view.width);
  const scale = Math.min(Math.max(view.scale, whole.scale), Math.max(MOST_SCALE, whole.scale));
  const last = Math.max(bounds[1] - view.width / scale, bounds[0]);
  return { from: Math.min(Math.max(view.from, bounds[0]), last), scale, width: view.width };
}

// The time at x stays where it is.
export function zoomed(view, factor, x, bounds) {
  const time = timeAt(view, x);
  const { scale } = kept({ ...view, scale: view.scale * factor }, bounds);
  return kept({ ...view, scale, from: time - x / scale }, bounds);
}

export const scrolled = (view, seconds, bounds) =>
  kept({ ...view, from: view.from + seconds }, bounds);

// The same seconds in another width; a view of everything stays one.
export function resized(view, width, bounds) {
  const wasWhole = view.scale <= fitted(bounds, view.width).scale * 1.0001;
  if (wasWhole) return fitted(bounds, width);
  return kept({ from: view.from, scale: (view.scale * width) / view.width, width }, bounds);
}

// A stretch in the middle, with some of what is around it.
export function around(view, start, end, bounds) {
  const length = Math.max((end - start) * 2, 4);
  const from = (start + end - length) / 2;
  return kept({ from, scale: view.width / length, width: view.width }, bounds);
}

export function ticks(view) {
  const step = STEPS.find((one) => one * view.scale >= LEAST_GAP) ?? 3600;
  const found = [];
  for (let n = Math.ceil(view.from / step - 1e-9); n * step <= lastOf(view); n += 1)
    found.push(Math.round(n * step * 10) / 10);
  return found;
}

// "1:05.25"; a mark of time has no more digits than it needs.
export function clock(time, places = 2) {
  const whole = Math.abs(time) + 0.5 * 10 ** -places;
  const minutes = Math.floor(whole / 60);
  const rest = Math.floor((whole - 60 * minutes) * 10 ** places) / 10 ** places;
  const text = rest.toFixed(places).padStart(places ? places + 3 : 2, "0");
  return `${time < 0 ? "-" : ""}${minutes}:${text}`;
}

export const tickLabel = (time) => clock(time, Number.isInteger(time) ? 0 : 1);

// Which level of zoom of entries of so many seconds: the coarsest that shows every pixel.
export function levelFor(view, entry, group, most = 12) {
  let level = 0;
  while (level < most && entry * group ** (level + 1) * view.scale <= 1) level += 1;
  return level;
}

// Tiles [first, last] of so many seconds each that a view touches.
export function tilesOf(view, seconds, end) {
  const first = Math.max(Math.floor(view.from / seconds), 0);
  const last = Math.min(lastOf(view), end) / seconds;
  return [first, Math.max(Math.ceil(last) - 1, first - 1)];
}
