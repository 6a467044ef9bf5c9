// What can be done to a list of regions; every function gives a new list.
//   region {start, end, startFrom, endFrom}: an end that counts from the clip's end goes on so
//   placed {start, end}: seconds from the clip's start

import { END, START } from "./spelling.js";
import { LATENT } from "./time.js";

export const LEAST = LATENT; // seconds of a region that a drag leaves

const NEAR = 1e-6;

export const plain = (start, end) => ({ start, end, startFrom: START, endFrom: START });

const absolute = (value, from, seconds) => (from === END ? seconds - value : value);

// Within the clip; null for what the core refuses: empty, reversed, or outside.
export function placed(region, seconds) {
  const start = absolute(region.start, region.startFrom, seconds);
  const end = absolute(region.end, region.endFrom, seconds);
  if (!(start < seconds && end > 0 && start < end)) return null;
  return { start: Math.max(start, 0), end: Math.min(end, seconds) };
}

// Milliseconds, rounded into the region, so that no other latent frame is touched.
const upward = (value) => Math.ceil(value * 1000 - 1e-4) / 1000;
const downward = (value) => Math.floor(value * 1000 + 1e-4) / 1000;

export function counted(start, end, like, seconds) {
  const isFirst = like.startFrom === END;
  const isLast = like.endFrom === END;
  return {
    start: isFirst ? downward(seconds - start) : upward(start),
    end: isLast ? upward(Math.max(seconds - end, 0)) : downward(end),
    startFrom: like.startFrom,
    endFrom: like.endFrom,
  };
}

const replaced = (list, index, region) => list.map((one, at) => (at === index ? region : one));

// A stretch between two times, whichever is first, no shorter than LEAST.
export function stretch(one, other, seconds) {
  const start = Math.min(Math.max(Math.min(one, other), 0), Math.max(seconds - LEAST, 0));
  const end = Math.min(Math.max(Math.max(one, other), start + LEAST), seconds);
  return { start, end };
}

export function added(list, one, other, seconds) {
  const { start, end } = stretch(one, other, seconds);
  return [...list, counted(start, end, plain(0, 0), seconds)];
}

// To begin at a time, as long as it is, inside the clip.
export function moved(list, index, start, seconds) {
  const own = placed(list[index], seconds);
  if (!own) return list;
  const length = own.end - own.start;
  const first = Math.min(Math.max(start, 0), seconds - length);
  return replaced(list, index, counted(first, first + length, list[index], seconds));
}

// One of its edges at a time; past the other one it stops LEAST before it.
export function resized(list, index, edge, time, seconds) {
  const own = placed(list[index], seconds);
  if (!own) return list;
  const start = edge === START ? Math.min(Math.max(time, 0), own.end - LEAST) : own.start;
  const end = edge === END ? Math.max(Math.min(time, seconds), own.start + LEAST) : own.end;
  return replaced(list, index, counted(Math.max(start, 0), Math.min(end, seconds), list[index], seconds));
}

export const removed = (list, index) => list.filter((_, at) => at !== index);

// In order and apart, as the core resolves them: those that touch become one.
export function merged(list, seconds) {
  const all = list
    .map((region) => ({ region, at: placed(region, seconds) }))
    .filter(({ at }) => at)
    .sort((a, b) => a.at.start - b.at.start || a.at.end - b.at.end);
  const apart = [];
  for (const { region, at } of all) {
    const last = apart.at(-1);
    if (!last || at.start > last.at.end + NEAR) apart.push({ region, at });
    else if (at.end > last.at.end) {
      const { start, startFrom } = last.region;
      last.region = { start, startFrom, end: region.end, endFrom: region.endFrom };
      last.at = { start: last.at.start, end: at.end };
    }
  }
  return apart.map(({ region }) => region);
}

// Which region lies at a time, and whether one of its edges is within `reach` seconds of it.
export function hit(list, time, reach, seconds, preferred = -1) {
  const order = list.map((_, index) => index).reverse();
  if (preferred >= 0 && preferred < list.length) order.unshift(preferred);
  let best = null;
  for (const index of order) {
    const at = placed(list[index], seconds);
    if (!at) continue;
    for (const edge of [START, END]) {
      const far = Math.abs(at[edge] - time);
      if (far <= reach && (!best || far < best.far)) best = { index, edge, far };
    }
  }
  if (best) return { index: best.index, edge: best.edge };
  const inside = order.find((index) => {
    const at = placed(list[index], seconds);
    return at && at.start <= time && time <= at.end;
  });
  return inside === undefined ? null : { index: inside, edge: "" };
}

// What was, one step after the other; texts or anything else that compares by its JSON.
export class History {
  constructor(most = 100) {
    this.past = [];
    this.future = [];
    this.most = most;
  }

  // Before a change from `state`.
  keep(state) {
    if (JSON.stringify(this.past.at(-1)) !== JSON.stringify(state)) this.past.push(state);
    if (this.past.length > this.most) this.past.shift();
    this.future = [];
  }

  // What was before `state`; undefined where nothing was.
  undo(state) {
    return step(this.past, this.future, state);
  }

  redo(state) {
    return step(this.future, this.past, state);
  }
}

function step(from, to, state) {
  const found = from.pop();
  if (found !== undefined) to.push(state);
  return found;
}
