// What a time falls to.
import assert from "node:assert/strict";
import { test } from "node:test";

import { KINDS, barsOf, beatsOf, linesOf, nearest, snapped, stepped, within } from "../../../../web/js/regions/snap.js";
import { spanAt, spansOf } from "../../../../web/js/regions/sections.js";
import { LATENT } from "../../../../web/js/regions/time.js";

const beats = Array.from({ length: 58 }, (_, n) => 0.37 + n * 0.5);
const SPANS = spansOf([{ mark: "[verse]", seconds: 10 }, { mark: "[chorus]", seconds: 5 }], 30);
const KNOWN = { pulse: { tempo: 120, beats, bar: 2, onsets: [0.37, 5.1] }, tempo: 0, spans: SPANS, seconds: 30 };

test("beats and bars as they were guessed", () => {
  assert.equal(snapped(10.5, "beat", KNOWN, 0.01), 10.37);
  assert.equal(snapped(10.7, "beat", KNOWN, 0.01), 10.87);
  assert.deepEqual(barsOf(KNOWN).slice(0, 2), [1.37, 3.37]);
  assert.equal(snapped(4.2, "bar", KNOWN, 0.01), 3.37);
});

test("an entered tempo is even, through the first bar that was guessed", () => {
  const known = { ...KNOWN, tempo: 100 };
  const { times, bar } = beatsOf(known);
  assert.ok(times[0] >= 0 && times[0] < 0.6);
  assert.ok(times.some((time) => Math.abs(time - 1.37) < 1e-9));
  assert.ok(Math.abs(times[1] - times[0] - 0.6) < 1e-9);
  assert.ok(barsOf(known).some((time) => Math.abs(time - 1.37) < 1e-9), `${bar}`);
  assert.ok(times.at(-1) <= 30);
  const unknown = { pulse: null, tempo: 60, spans: [], seconds: 10 };
  assert.deepEqual(beatsOf(unknown).times.length, 11);
});

test("onsets and sections draw only what is near", () => {
  assert.equal(snapped(5.2, "onset", KNOWN, 0.2), 5.1);
  assert.equal(snapped(6.2, "onset", KNOWN, 0.2), 6.2);
  assert.deepEqual(linesOf("section", KNOWN), [0, 20, 30]);
  assert.equal(snapped(19.9, "section", KNOWN, 0.2), 20);
});

test("latent frames, and nothing", () => {
  const at = snapped(10.5, "frame", KNOWN, 0.01);
  assert.ok(Math.abs(at / LATENT - Math.round(at / LATENT)) < 1e-9);
  assert.ok(Math.abs(at - 10.5) <= LATENT / 2);
  assert.equal(snapped(10.512345, "free", KNOWN, 0.2), 10.512345);
});

test("the clip's ends draw as well, but not from afar", () => {
  for (const kind of KINDS.filter((one) => one !== "free")) {
    assert.equal(snapped(29.95, kind, KNOWN, 0.1), 30, kind);
    assert.equal(snapped(0.02, kind, KNOWN, 0.1), 0, kind);
  }
});

test("without a beat nothing is drawn", () => {
  assert.equal(snapped(3.3, "beat", { pulse: null, spans: [], seconds: 30 }, 0.1), 3.3);
});

test("the nearest line of any number", () => {
  assert.equal(nearest([], 3), undefined);
  for (const [time, found] of [[-1, 1], [1.4, 1], [1.6, 2], [9, 4]]) assert.equal(nearest([1, 2, 4], time), found);
});

test("arrow keys go from line to line, or by a latent frame", () => {
  assert.equal(stepped(10.37, 1, "beat", KNOWN), 10.87);
  assert.equal(stepped(10.37, -1, "beat", KNOWN), 9.87);
  assert.equal(stepped(29.9, 1, "beat", KNOWN), 30);
  assert.ok(Math.abs(stepped(5, 1, "free", KNOWN) - 5 - LATENT) < 1e-9);
});

test("a lyric's sections fill the clip", () => {
  assert.deepEqual(SPANS.map(({ start, end }) => [start, end]), [[0, 20], [20, 30]]);
  assert.equal(spanAt(SPANS, 20).mark, "[chorus]");
  assert.deepEqual(spansOf([], 30), []);
  assert.equal(spansOf([{ mark: "", seconds: 3 }], 30)[0].mark, "…");
});

test("those in sight are the same that a filter finds", () => {
  for (const [from, to] of [[-5, 0.37], [0.37, 0.87], [3, 12.2], [28, 99], [40, 50], [5, 5]])
    assert.deepEqual(within(beats, from, to), beats.filter((time) => time >= from && time < to));
  assert.deepEqual(within([], 0, 1), []);
});
