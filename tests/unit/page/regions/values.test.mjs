// A node's inputs and what is drawn of them, both ways.
import assert from "node:assert/strict";
import { test } from "node:test";

import { EXTEND, INPAINT, REMIX, stateOf, valuesOf } from "../../../../web/js/regions/values.js";
import { readRegions, spelled } from "../../../../web/js/regions/spelling.js";

const VALUES = { start: 10, end: 20, start_from: "start", end_from: "start", regions: "" };

test("start and end are one region, a text takes their place", () => {
  assert.equal(spelled(stateOf(INPAINT, VALUES).regions), "10:20");
  const counted = { ...VALUES, start: 30, end: 5, start_from: "end", end_from: "end" };
  assert.equal(spelled(stateOf(INPAINT, counted).regions), "-30:-5");
  const text = stateOf(INPAINT, { ...VALUES, regions: "1:2\n3:4" });
  assert.deepEqual([spelled(text.regions), text.isText], ["1:2; 3:4", true]);
});

test("a text that cannot be read is said, and draws nothing", () => {
  const state = stateOf(REMIX, { regions: "1:2; x:4" });
  assert.deepEqual([state.regions, state.wrong], [[], "x:4"]);
});

test("one region of Inpaint goes into its numbers, several and an edit's into the text", () => {
  const [one, other] = readRegions("1.5:2; -8:");
  assert.deepEqual(valuesOf(INPAINT, [one], VALUES), { start: 1.5, end: 2, start_from: "start", end_from: "start" });
  assert.deepEqual(valuesOf(INPAINT, [one, other], VALUES), { regions: "1.5:2; -8:-0" });
  assert.deepEqual(valuesOf(INPAINT, [other], { ...VALUES, regions: "1:2" }), { regions: "-8:-0" });
  assert.deepEqual(valuesOf(REMIX, [one], { regions: "" }), { regions: "1.5:2" });
  assert.deepEqual(valuesOf(REMIX, [], { regions: "1:2" }), { regions: "" });
});

test("what was put is what is read", () => {
  for (const text of ["1.5:2", "-8:-0", "1:2; 3:-4"])
    for (const kind of [INPAINT, REMIX]) {
      const regions = readRegions(text);
      const put = { ...VALUES, ...valuesOf(kind, regions, VALUES) };
      assert.deepEqual(stateOf(kind, put).regions, regions);
    }
});

test("an extension has no regions; a linked value may be anything", () => {
  assert.deepEqual(stateOf(EXTEND, { before: 1, after: 2 }).regions, []);
  assert.equal(spelled(stateOf(INPAINT, { ...VALUES, start: undefined, regions: undefined }).regions), "0:20");
});
