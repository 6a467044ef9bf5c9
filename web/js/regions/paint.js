// One picture of a sound and its regions: sections, pitch, wave, beats, regions, playhead, map.
//   paint(canvas's context, scene): the scene says all that is seen; nothing is kept here

import { within } from "./snap.js";
import { clock, fitted, lastOf, levelFor, tickLabel, ticks, tilesOf, xOf } from "./time.js";

export const SECTIONS = 14; // pixels from the top, where there is a lyric
export const MAP = 14; // pixels at the bottom
const RULER = 12;

const INK = "#cdd0dc";
const FAINT = "rgba(205, 208, 220, 0.35)";
const GROUND = "#11111b";
const WAVE = "rgba(255, 255, 255, 0.82)";
const GLANCE = "rgba(205, 208, 220, 0.4)";
const REGION = "94, 234, 212"; // as the pictures of sound have it
const NEW_MUSIC = "rgba(94, 234, 212, 0.16)";
const FONT = "10px Arial, sans-serif";

// {width, height, view, bounds, outline, regions: [{start, end}], chosen, playhead, lines, bars,
//  spans, added: {before, after}, map: what paintMap made}
export function paint(context, scene) {
  const { width, height } = scene;
  context.clearRect(0, 0, width, height);
  context.fillStyle = GROUND;
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  const top = scene.spans.length ? SECTIONS : 0;
  const area = { top, bottom: height - MAP - 2, left: 0 };
  if (scene.outline?.state) {
    pitch(context, scene, area);
    wave(context, scene, area);
  }
  ruler(context, scene, area);
  beats(context, scene, area);
  if (scene.added) newMusic(context, scene, area);
  for (const [index, region] of scene.regions.entries()) band(context, scene, area, region, index);
  if (top) sections(context, scene);
  playhead(context, scene, area);
  map(context, scene);
}

// The sound itself lies between 0 and its end, whatever else the view shows.
function clipped(context, scene, area, draw) {
  context.save();
  context.beginPath();
  const first = Math.max(xOf(scene.view, 0), 0);
  const last = Math.min(xOf(scene.view, scene.outline.seconds), scene.width);
  context.rect(first, area.top, Math.max(last - first, 0), area.bottom - area.top);
  context.clip();
  draw();
  context.restore();
}

function pitch(context, scene, area) {
  const { view, outline } = scene;
  const { column, group } = outline.state;
  const level = levelFor(view, column, group);
  const seconds = outline.pictureSeconds(level);
  const each = column * group ** level;
  clipped(context, scene, area, () => {
    context.imageSmoothingEnabled = true;
    const [first, last] = tilesOf(view, seconds, outline.done);
    for (let tile = first; tile <= last; tile += 1) {
      const picture = outline.picture(level, tile);
      if (!picture) continue;
      const x = xOf(view, tile * seconds);
      const wide = picture.width * each * view.scale;
      context.drawImage(picture, x, area.top, wide + 0.5, area.bottom - area.top);
    }
  });
}

function wave(context, scene, area) {
  const { view, outline } = scene;
  const { bin, group } = outline.state;
  const level = levelFor(view, bin, group);
  const seconds = outline.peakSeconds(level);
  clipped(context, scene, area, () => {
    const [first, last] = tilesOf(view, seconds, outline.done);
    for (let tile = first; tile <= last; tile += 1) {
      const peaks = outline.peaks(level, tile);
      if (peaks) bars(context, view, area, peaks, tile * seconds, bin * group ** level, WAVE);
    }
    glance(context, scene, area);
  });
}

// What has not been read yet, from a few places of it.
function glance(context, scene, area) {
  const { view, outline } = scene;
  const places = outline.state.glance;
  if (!places.length) return;
  context.save();
  context.beginPath();
  const from = xOf(view, outline.done);
  context.rect(from, area.top, scene.width - from, area.bottom - area.top);
  context.clip();
  bars(context, view, area, places.flat(), 0, outline.seconds / places.length, GLANCE);
  context.restore();
}

// Pairs of least and most as one shape.
function bars(context, view, area, peaks, from, each, colour) {
  const middle = (area.top + area.bottom) / 2;
  const half = (area.bottom - area.top) / 2 / 127;
  const first = Math.max(Math.floor((view.from - from) / each) - 1, 0);
  const count = Math.min(Math.ceil((lastOf(view) - from) / each) + 1, peaks.length / 2);
  if (count <= first) return;
  context.fillStyle = colour;
  context.beginPath();
  const step = each * view.scale;
  const start = xOf(view, from) + step / 2;
  for (let n = first; n < count; n += 1)
    context.lineTo(start + n * step, middle - Math.max(peaks[2 * n + 1] * half, 0.4));
  for (let n = count - 1; n >= first; n -= 1)
    context.lineTo(start + n * step, middle - Math.min(peaks[2 * n] * half, -0.4));
  context.fill();
}

function ruler(context, scene, area) {
  context.textAlign = "left";
  for (const time of ticks(scene.view)) {
    const x = Math.round(xOf(scene.view, time)) + 0.5;
    context.fillStyle = FAINT;
    context.fillRect(x, area.bottom - 4, 1, 4);
    label(context, tickLabel(time), x + 3, area.bottom - RULER / 2, INK);
  }
}

function label(context, text, x, y, colour) {
  context.lineWidth = 3;
  context.strokeStyle = "rgba(17, 17, 27, 0.85)";
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

const LEAST_GAP = 5; // pixels between two lines that are drawn

function beats(context, scene, area) {
  const { view } = scene;
  for (const [times, colour, size] of [
    [scene.lines, "rgba(255, 214, 102, 0.55)", 6],
    [scene.bars, "rgba(255, 214, 102, 0.8)", area.bottom - area.top],
  ]) {
    const inside = within(times, view.from, lastOf(view));
    if ((inside.length - 1) * LEAST_GAP > scene.width) continue;
    context.fillStyle = colour;
    context.globalAlpha = size > 6 ? 0.35 : 1;
    for (const time of inside) context.fillRect(Math.round(xOf(view, time)), area.top, 1, size);
    context.globalAlpha = 1;
  }
}

function newMusic(context, scene, area) {
  const { view, outline, added } = scene;
  const last = outline?.seconds ?? 0;
  for (const [start, end] of [[-added.before, 0], [last, last + added.after]]) {
    if (end <= start) continue;
    const x = xOf(view, start);
    const wide = (end - start) * view.scale;
    context.fillStyle = NEW_MUSIC;
    context.fillRect(x, area.top, wide, area.bottom - area.top);
    const edge = start < 0 ? x : x + wide;
    handle(context, edge, area, true);
    context.textAlign = "center";
    if (wide > 40) label(context, `+${clock(end - start, 1)}`, x + wide / 2, area.top + 9, INK);
  }
}

function band(context, scene, area, { start, end }, index) {
  const { view } = scene;
  const isChosen = index === scene.chosen;
  const x = xOf(view, start);
  const wide = Math.max((end - start) * view.scale, 1);
  if (x > scene.width || x + wide < 0) return;
  context.fillStyle = `rgba(${REGION}, ${isChosen ? 0.34 : 0.2})`;
  context.fillRect(x, area.top, wide, area.bottom - area.top);
  context.fillStyle = `rgb(${REGION})`;
  context.fillRect(x, area.top, wide, 2);
  handle(context, x, area, isChosen);
  handle(context, x + wide, area, isChosen);
  context.textAlign = "left";
  if (wide > 84) label(context, `${clock(start)} – ${clock(end)}`, Math.max(x, 0) + 6, area.top + 10, INK);
}

function handle(context, x, area, isStrong) {
  context.fillStyle = `rgb(${REGION})`;
  context.fillRect(Math.round(x) - 1, area.top, 2, area.bottom - area.top);
  if (!isStrong) return;
  const middle = (area.top + area.bottom) / 2;
  context.fillRect(Math.round(x) - 3, middle - 9, 6, 18);
}

function sections(context, scene) {
  context.textAlign = "left";
  for (const [index, { mark, start, end }] of scene.spans.entries()) {
    const x = xOf(scene.view, start);
    const wide = (end - start) * scene.view.scale;
    if (x > scene.width || x + wide < 0) continue;
    context.fillStyle = index % 2 ? "#33364a" : "#272a3c";
    context.fillRect(x, 0, Math.max(wide - 1, 1), SECTIONS - 2);
    context.save();
    context.beginPath();
    context.rect(x, 0, Math.max(wide - 2, 0), SECTIONS);
    context.clip();
    context.fillStyle = INK;
    context.fillText(mark.replace(/^\[|\]$/g, ""), Math.max(x, 0) + 3, SECTIONS / 2 - 0.5);
    context.restore();
  }
}

function playhead(context, scene, area) {
  const x = Math.round(xOf(scene.view, scene.playhead));
  context.fillStyle = "#ff6b6b";
  context.fillRect(x, area.top, 1, area.bottom - area.top);
  context.beginPath();
  context.moveTo(x - 4, area.top);
  context.lineTo(x + 5, area.top);
  context.lineTo(x + 0.5, area.top + 6);
  context.fill();
}

// The wave of everything there is, as the map shows it: {width, bounds, outline}, MAP pixels high.
export function paintMap(context, { width, bounds, outline }) {
  const view = fitted(bounds, width);
  const area = { top: 0, bottom: MAP };
  context.fillStyle = "#1b1c2a";
  context.fillRect(0, 0, width, MAP);
  if (!outline?.state) return;
  const { bin, group } = outline.state;
  const level = levelFor(view, bin, group);
  const seconds = outline.peakSeconds(level);
  const [first, last] = tilesOf(view, seconds, outline.done);
  for (let tile = first; tile <= last; tile += 1) {
    const peaks = outline.peaks(level, tile);
    if (peaks) bars(context, view, area, peaks, tile * seconds, bin * group ** level, FAINT);
  }
  if (!outline.finished) glance(context, { width, view, outline }, area);
}

// Everything there is, and which part of it is seen.
function map(context, scene) {
  const { width, height, bounds } = scene;
  const view = fitted(bounds, width);
  const area = { top: height - MAP, bottom: height };
  context.drawImage(scene.map, 0, area.top, width, MAP);
  for (const [index, { start, end }] of scene.regions.entries()) {
    context.fillStyle = `rgba(${REGION}, ${index === scene.chosen ? 0.7 : 0.45})`;
    context.fillRect(xOf(view, start), area.top, Math.max((end - start) * view.scale, 2), MAP);
  }
  context.strokeStyle = INK;
  context.lineWidth = 1;
  const wide = (scene.width / scene.view.scale) * view.scale;
  context.strokeRect(xOf(view, scene.view.from) + 0.5, area.top + 0.5, Math.max(wide - 1, 3), MAP - 1);
}
