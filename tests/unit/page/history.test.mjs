// Reading the history: which run a node's facts are of, and whether the newest failed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { entriesOf, isSame, restored } from "../../../web/js/history.js";

const MINE = "6f3c1c4e-0000-4000-8000-000000000001";
const NONE = "00000000-0000-0000-0000-000000000000";
const NODES = { 1: "AceSuiteLoad", 2: "AceSuiteSampler", "5:3": "AceSuiteSaveAudio" };

function entry(number, { id = MINE, nodes = NODES, shown = {}, error } = {}) {
  const prompt = Object.fromEntries(Object.entries(nodes).map(([key, class_type]) => [key, { class_type, inputs: {} }]));
  const outputs = Object.fromEntries(Object.entries(shown).map(([key, facts]) => [key, { acesuite: facts }]));
  const messages = error ? [["execution_start", {}], ["execution_error", error]] : [];
  return { prompt: [number, "x", prompt, { extra_pnginfo: { workflow: { id } } }], outputs, status: { messages } };
}

test("newest first, in whatever order they come", () => {
  assert.deepEqual(entriesOf({ a: entry(2), b: entry(10), c: entry(9) }).map(({ prompt }) => prompt[0]), [10, 9, 2]);
  assert.deepEqual(entriesOf(undefined), []);
});

test("a node that was not run again keeps what an older run said", () => {
  const history = { a: entry(1, { shown: { 1: ["old"], 2: ["old"] } }), b: entry(2, { shown: { 2: ["new"], "5:3": ["sub"] } }) };
  const { shown, error } = restored(history, MINE, NODES);
  assert.deepEqual([shown[1].facts, shown[2].facts, shown["5:3"].facts], [["old"], ["new"], ["sub"]]);
  assert.equal(shown[2].prompt[2].class_type, "AceSuiteSampler");
  assert.equal(error, null);
});

test("another workflow's runs are not this one's, nor another node under the same id", () => {
  const other = entry(1, { id: "other", shown: { 1: ["theirs"] } });
  assert.deepEqual(restored({ other }, MINE, NODES).shown, {});
  const changed = { ...NODES, 1: "LoadAudio" };
  assert.deepEqual(restored({ a: entry(1, { shown: { 1: ["x"], 2: ["y"] } }) }, MINE, changed).shown[1], undefined);
});

test("without ids it has to be the same graph node for node", () => {
  const a = entry(1, { id: NONE, shown: { 1: ["x"] } });
  assert.deepEqual(restored({ a }, MINE, NODES).shown[1].facts, ["x"]);
  assert.deepEqual(restored({ a }, MINE, { 1: "AceSuiteLoad" }).shown, {});
  assert.ok(isSame(NONE, MINE));
  assert.ok(isSame(undefined, MINE));
  assert.ok(!isSame("other", MINE));
});

test("a request that no page made says nothing of an open graph, be it the same", () => {
  const sent = entry(1, { shown: { 1: ["x"] } });
  delete sent.prompt[3].extra_pnginfo;
  assert.deepEqual(restored({ sent }, MINE, NODES).shown, {});
});

test("only the newest run's error counts", () => {
  const error = { node_id: "2", node_type: "AceSuiteSampler", exception_message: "no" };
  assert.equal(restored({ a: entry(1, { error }), b: entry(2) }, MINE, NODES).error, null);
  assert.equal(restored({ a: entry(1), b: entry(2, { error }) }, MINE, NODES).error, error);
});
