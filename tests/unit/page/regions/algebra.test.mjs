// Regions added, moved, resized, joined, found, and undone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { History, LEAST, added, counted, hit, merged, moved, placed, plain, removed, resized, stretch } from "../../../../web/js/regions/algebra.js";
import { readRegions, spelled } from "../../../../web/js/regions/spelling.js";

const SECONDS = 60;
const read = readRegions;

test("a region is placed in the clip, or it is none", () => {
  const at = (text) => placed(read(text)[0], SECONDS);
  assert.deepEqual(at("10:20"), { start: 10, end: 20 });
  assert.deepEqual(at("-30:-5"), { start: 30, end: 55 });
  assert.deepEqual(at("50:"), { start: 50, end: 60 });
  assert.deepEqual(at("50:99"), { start: 50, end: 60 });
  assert.deepEqual(at("-99:5"), { start: 0, end: 5 });
  for (const text of ["60:70", "20:10", "5:5", "-5:-70", "3:-57"]) assert.equal(at(text), null, text);
});

test("a drag is a region whichever way it goes, inside the clip, of one latent frame at least", () => {
  assert.deepEqual(spelled(added([], 14, 10.5, SECONDS)), "10.5:14");
  assert.deepEqual(stretch(-3, 99, SECONDS), { start: 0, end: 60 });
  const least = stretch(60, 60, SECONDS);
  assert.ok(Math.abs(least.end - least.start - LEAST) < 1e-9);
  assert.equal(least.end, 60);
});

test("ends that count from the clip's end go on so", () => {
  const list = read("10:20; -30:-5; 50:");
  assert.equal(spelled(moved(list, 1, 20, SECONDS)), "10:20; -40:-15; 50:-0");
  assert.equal(spelled(resized(list, 1, "end", 52, SECONDS)), "10:20; -30:-8; 50:-0");
  assert.equal(spelled(resized(list, 2, "start", 45, SECONDS)), "10:20; -30:-5; 45:-0");
});

test("moving keeps the length, and stops at the clip's ends", () => {
  const list = read("10:14");
  assert.equal(spelled(moved(list, 0, -5, SECONDS)), "0:4");
  assert.equal(spelled(moved(list, 0, 99, SECONDS)), "56:60");
});

test("an edge stops before the other one", () => {
  const list = read("10:14");
  const [one] = resized(list, 0, "start", 30, SECONDS);
  assert.ok(one.start < 14 && one.start >= 14 - LEAST - 0.001);
  assert.equal(spelled(resized(list, 0, "end", 99, SECONDS)), "10:60");
});

test("milliseconds are rounded into the region", () => {
  const one = counted(5 * LEAST, 8 * LEAST, plain(0, 0), SECONDS);
  assert.ok(one.start >= 5 * LEAST && one.start - 5 * LEAST < 0.001);
  assert.ok(one.end <= 8 * LEAST && 8 * LEAST - one.end < 0.001);
  assert.equal(counted(10.5, 14, plain(0, 0), SECONDS).start, 10.5);
  assert.equal(counted(0.1 + 0.2, 1.1 + 2.2, plain(0, 0), SECONDS).start, 0.3);
});

test("regions that touch become one, as the core resolves them", () => {
  assert.equal(spelled(merged(read("20:30; 5:8; 25:40; 40:41; 99:100"), SECONDS)), "5:8; 20:41");
  assert.equal(spelled(merged(read("10:20; 15:"), SECONDS)), "10:-0");
  assert.equal(spelled(removed(read("1:2; 3:4; 5:6"), 1)), "1:2; 5:6");
});

test("an edge is found before the inside, the chosen region before others", () => {
  const list = read("10:20; 15:30");
  assert.deepEqual(hit(list, 10.1, 0.2, SECONDS), { index: 0, edge: "start" });
  assert.deepEqual(hit(list, 17, 0.2, SECONDS), { index: 1, edge: "" });
  assert.deepEqual(hit(list, 17, 0.2, SECONDS, 0), { index: 0, edge: "" });
  assert.equal(hit(list, 5, 0.2, SECONDS), null);
});

test("what was done is undone and done again; something new forgets what was undone", () => {
  const history = new History();
  history.keep("a");
  history.keep("b");
  assert.equal(history.undo("c"), "b");
  assert.equal(history.undo("b"), "a");
  assert.equal(history.undo("a"), undefined);
  assert.equal(history.redo("a"), "b");
  history.keep("b");
  assert.equal(history.redo("d"), undefined);
  const short = new History(2);
  for (const state of ["1", "2", "3"]) short.keep(state);
  assert.deepEqual([short.undo("x"), short.undo("3"), short.undo("2")], ["3", "2", undefined]);
});
