// What part of a clip is seen, and marks of time.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LATENT, around, clock, fitted, kept, lastOf, levelFor, resized, scrolled, tickLabel, ticks, tilesOf, timeAt, xOf, zoomed } from "../../../../web/js/regions/time.js";

const BOUNDS = [0, 60];
const near = (a, b, by = 1e-9) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

test("seconds and pixels are each other's inverse at any zoom", () => {
  let view = fitted(BOUNDS, 600);
  for (const factor of [1, 3, 40, 0.2, 1000]) {
    view = zoomed(view, factor, 100, BOUNDS);
    for (const x of [0, 17.5, 599]) near(xOf(view, timeAt(view, x)), x, 1e-6);
  }
});

test("what is under the pointer stays there", () => {
  const view = fitted(BOUNDS, 600);
  const closer = zoomed(view, 4, 300, BOUNDS);
  near(timeAt(closer, 300), 30);
  near(lastOf(closer) - closer.from, 15);
  near(timeAt(zoomed(closer, 0.5, 120, BOUNDS), 120), timeAt(closer, 120));
});

test("nothing beyond the clip is scrolled or zoomed to", () => {
  const view = zoomed(fitted(BOUNDS, 600), 10, 0, BOUNDS);
  assert.equal(scrolled(view, -5, BOUNDS).from, 0);
  near(lastOf(scrolled(view, 500, BOUNDS)), 60);
  assert.deepEqual(zoomed(view, 0.001, 0, BOUNDS), fitted(BOUNDS, 600));
  const closest = kept({ ...view, scale: 1e9 }, BOUNDS);
  near(closest.scale * LATENT, 20, 1e-6);
});

test("new music lies before 0 and behind the end", () => {
  const view = fitted([-10, 70], 800);
  assert.equal(timeAt(view, 0), -10);
  near(xOf(view, 60), 700);
});

test("another width: everything stays everything, a part stays that part", () => {
  near(resized(fitted(BOUNDS, 600), 300, BOUNDS).scale, 5);
  const part = zoomed(fitted(BOUNDS, 600), 6, 0, BOUNDS);
  near(lastOf(resized(part, 300, BOUNDS)), lastOf(part));
});

test("a stretch is shown with what is around it", () => {
  const view = around(fitted(BOUNDS, 600), 20, 24, BOUNDS);
  near(view.from, 18);
  near(lastOf(view), 26);
});

test("marks of time are apart, and round", () => {
  for (const factor of [1, 2, 7, 60, 300]) {
    const view = zoomed(fitted(BOUNDS, 400), factor, 200, BOUNDS);
    const marks = ticks(view);
    for (const [index, mark] of marks.entries())
      if (index) assert.ok((mark - marks[index - 1]) * view.scale >= 50);
    assert.ok(marks.every((mark) => mark >= view.from - 0.01 && mark <= lastOf(view) + 0.01));
  }
  assert.equal(clock(65.254), "1:05.25");
  assert.equal(clock(59.999), "1:00.00");
  assert.equal(clock(-3.5), "-0:03.50");
  assert.deepEqual([tickLabel(65), tickLabel(0.5), tickLabel(3600)], ["1:05", "0:00.5", "60:00"]);
});

test("a coarser level is taken where several entries share a pixel", () => {
  const entry = LATENT / 16;
  assert.equal(levelFor({ from: 0, width: 600, scale: 1000 }, entry, 4), 0);
  const hour = fitted([0, 3600], 600);
  const level = levelFor(hour, entry, 4);
  assert.ok(entry * 4 ** level * hour.scale <= 1);
  assert.ok(entry * 4 ** (level + 1) * hour.scale > 1);
});

test("tiles of a view, as far as there is sound", () => {
  const view = { from: 10, scale: 10, width: 100 };
  assert.deepEqual(tilesOf(view, 6, 60), [1, 3]);
  assert.deepEqual(tilesOf(view, 6, 12), [1, 1]);
  assert.deepEqual(tilesOf({ ...view, from: -20 }, 6, 60), [0, -1]);
});
