// A node's inputs and what is drawn of them, both ways.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EXTEND,
  EXTEND_BOX,
  INPAINT,
  INPAINT_BOX,
  NODES,
  REMIX,
  leastOf,
  longerOf,
  mostOf,
  namesOf,
  stateOf,
  valuesOf,
} from "../../../../web/js/regions/values.js";
import { readRegions, spelled } from "../../../../web/js/regions/spelling.js";

const VALUES = { start: 10, end: 20, start_from: "start", end_from: "start", regions: "" };

test("start and end are one region, a text takes their place", () => {
  assert.equal(spelled(stateOf(INPAINT, VALUES).regions), "10:20");
  const counted = { ...VALUES, start: 30, end: 5, start_from: "end", end_from: "end" };
  assert.equal(spelled(stateOf(INPAINT, counted).regions), "-30:-5");
  const text = stateOf(INPAINT, { ...VALUES, regions: "1:2\n3:4" });
  assert.equal(spelled(text.regions), "1:2; 3:4");
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
  const { regions, added } = stateOf(EXTEND, { before: 1, after: 2 });
  assert.deepEqual([regions, added], [[], { before: 1, after: 2 }]);
  assert.deepEqual(stateOf(EXTEND, {}).added, { before: 0, after: 0 });
  assert.equal(spelled(stateOf(INPAINT, { ...VALUES, start: undefined, regions: undefined }).regions), "0:20");
});

test("a box calls the same things by other names, and has one region", () => {
  const values = { start_time: 4, end_time: 2, start_time_relative_to: "start", end_time_relative_to: "end" };
  const { regions } = stateOf(INPAINT_BOX, values);
  assert.equal(spelled(regions), "4:-2");
  assert.deepEqual(valuesOf(INPAINT_BOX, regions, values), values);
  assert.deepEqual(stateOf(EXTEND_BOX, { extend_before_duration: 3, extend_after_duration: 5 }).added, { before: 3, after: 5 });
  assert.deepEqual(longerOf(EXTEND_BOX, { before: 1, after: 0 }), { extend_before_duration: 1, extend_after_duration: 0 });
  assert.deepEqual(longerOf(EXTEND, { before: 1, after: 0 }), { before: 1, after: 0 });
});

test("how many regions a node has at least and at most", () => {
  assert.deepEqual([INPAINT, REMIX, INPAINT_BOX].map(leastOf), [1, 0, 1]);
  assert.deepEqual([INPAINT, REMIX, INPAINT_BOX].map(mostOf), [Infinity, Infinity, 1]);
});

test("what decides what is drawn are inputs of the node", async () => {
  const { readFile } = await import("node:fs/promises");
  const known = JSON.parse(await readFile(new URL("../../nodes/interface.json", import.meta.url), "utf8"));
  for (const kind of NODES) {
    const inputs = [...known[kind].required, ...known[kind].optional].map((one) => one.split(":")[0]);
    for (const name of namesOf(kind)) assert.ok(inputs.includes(name), `${kind}.${name}`);
  }
});
