// Places and names of nodes that are added to a graph.
import assert from "node:assert/strict";
import { test } from "node:test";

import { GAP, freeName, partOf, placed } from "../../../web/js/place.js";

test("nothing that is added lies below what is there, nor upon another", () => {
  const columns = [[[330, 100], [400, 200]], [], [[330, 500]]];
  const [[first, second], none, [third]] = placed([330, 1500, 900], 40, columns);
  assert.deepEqual([first, second, none], [[1500 + 2 * GAP, 40], [1500 + 2 * GAP, 140 + GAP], []]);
  assert.deepEqual(third, [1500 + 3 * GAP + 400, 40]);
});

test("a second one of a kind has a number, a gap among them is filled", () => {
  assert.equal(freeName("Inpaint", ["Load", "Inpaint Mask"]), "Inpaint");
  assert.equal(freeName("Inpaint", ["Inpaint"]), "Inpaint 2");
  assert.equal(freeName("Inpaint", ["Inpaint", "Inpaint 3", "Inpaint 2"]), "Inpaint 4");
  assert.equal(freeName("Inpaint", ["Inpaint", "Inpaint 3"]), "Inpaint 2");
});

test("the parts of one name it, and not the pack", () => {
  assert.equal(partOf("Inpaint 2", "Sampler (ACE-Step)"), "Inpaint 2: Sampler");
  assert.equal(partOf("Variation", "The song so far"), "Variation: The song so far");
});
