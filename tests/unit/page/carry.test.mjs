// Plans for what goes on from a song.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fileOf, held, planned } from "../../../web/js/carry.js";

const SAMPLER = { seed: 77, seconds: 60, batch_size: 3, steps: 27, solver: "euler" };
const GRAPH = {
  1: { class_type: "AceSuiteLoad", inputs: { checkpoint: "auto" } },
  2: { class_type: "AceSuiteTagEncode", inputs: { model: ["1", 0], tags: "pop" } },
  3: { class_type: "AceSuiteLyricEncode", inputs: { model: ["1", 0], lyrics: "la", language: "en" } },
  4: { class_type: "AceSuiteSampler", inputs: { ...SAMPLER, model: ["1", 0], tags: ["2", 0], lyrics: ["3", 0], schedule: ["8", 0] } },
  5: { class_type: "AceSuiteDCAEDecode", inputs: { model: ["1", 0], latent: ["4", 0] } },
  6: { class_type: "AceSuiteSaveAudio", inputs: { audio: ["5", 0], info: ["4", 1], filename_prefix: "audio/x", format: "flac" } },
  8: { class_type: "AceSuiteSchedule", inputs: { preset: "fal" } },
};
const FACTS = { task: "text2music", tags: "pop", words: "la", seconds: 59.907, asked_seconds: 60 };
const CLIP = { kind: "take", take: 2, seed: "78", seconds: 59.907, filename: "x_2.flac", subfolder: "audio", type: "output" };
const plan = (action, { graph = GRAPH, facts = FACTS, clip = CLIP } = {}) => planned(action, graph, "6", facts, clip);

test("every link of a plan leads to a node that is there or is added", () => {
  for (const action of ["vary", "inpaint", "extend"]) {
    const { add } = plan(action);
    for (const { links } of Object.values(add))
      for (const [from] of Object.values(links)) assert.ok(from in add || from in GRAPH, `${action}: ${from}`);
    assert.deepEqual(add.sampler.links.task, ["task", 0]);
    assert.deepEqual(add.song.links, { audio: ["decode", 0], info: ["sampler", 1] });
  }
});

test("inpaint: the file, the words through their nodes, the seed, the settings; a region inside the clip", () => {
  const { add } = plan("inpaint");
  assert.equal(add.source.values.audio, "audio/x_2.flac [output]");
  assert.deepEqual(add.task.links, { source_audio: ["source", 0], source_seed: ["seed", 0] });
  assert.equal(add.seed.values.value, "78");
  assert.deepEqual(add.task.values, { start: 20, end: 39.9 });
  assert.deepEqual([add.sampler.links.tags, add.sampler.links.lyrics], [["2", 0], ["3", 0]]);
  assert.deepEqual(add.sampler.links.schedule, ["8", 0]);
  assert.deepEqual([add.sampler.values.batch_size, add.sampler.values.steps, add.sampler.values.seed], [1, 27, undefined]);
  assert.equal(add.song.values.filename_prefix, "audio/x");
});

test("vary: a retake of the seed while a seed makes the song, else along the lines of its file", () => {
  const { add } = plan("vary");
  assert.deepEqual([add.task.type, add.task.values.source_seed, add.sampler.values.seconds], ["AceSuiteRetake", "78", 60]);
  assert.ok(!("source" in add));
  const takes = plan("vary", { facts: { ...FACTS, task: "retake", source_seeds: ["4242", "4242"] } }).add;
  assert.equal(takes.task.values.source_seed, "4242");
  const edited = plan("vary", { facts: { ...FACTS, task: "repaint" } }).add;
  assert.deepEqual([edited.task.type, "source" in edited, "seed" in edited], ["AceSuiteAudioReference", true, false]);
});

test("extend: more music at the end", () => {
  assert.deepEqual(plan("extend").add.task.values, { before: 0, after: 30 });
});

test("words that have changed since, or come through a link, are put into nodes of their own", () => {
  const graph = structuredClone(GRAPH);
  graph[2].inputs.tags = "jazz";
  graph[3].inputs.lyrics = ["9", 1];
  const { add } = plan("inpaint", { graph });
  assert.deepEqual([add.tags.values.tags, add.tags.links.model], ["pop", ["1", 0]]);
  assert.deepEqual(add.lyrics.values, { lyrics: "la", language: "en" });
  assert.deepEqual(add.sampler.links.lyrics, ["lyrics", 0]);
});

test("the song's own seeds stay, so that its nodes are not run again", () => {
  assert.deepEqual(plan("extend").fix, { 4: { seed: "77" } });
});

test("use this seed: the take's own, in the Sampler; nothing is added", () => {
  assert.deepEqual(plan("use_seed"), { add: {}, fix: { 4: { seed: "78" } } });
});

test("a box is gone on from with the small nodes, under its own preset", () => {
  const inputs = { model: ["1", 0], tags: "pop", lyrics: "la", duration: 60, seed: 5 };
  const graph = { 1: GRAPH[1], 7: { class_type: "AceSuiteTextToAudio", inputs }, 6: { class_type: "AceSuitePreviewAudio", inputs: { audio: ["7", 0] } } };
  const { add, fix } = plan("inpaint", { graph });
  assert.deepEqual([add.tags.values.tags, add.lyrics.values.lyrics], ["pop", "la"]);
  assert.equal(add.guidance.values.preset, "fal");
  assert.deepEqual(add.sampler.links.schedule, ["schedule", 0]);
  assert.equal(add.song.type, "AceSuitePreviewAudio");
  assert.deepEqual(fix, { 7: { seed: "5" } });
});

test("without what made it there is no plan", () => {
  const graph = { 6: { class_type: "AceSuiteSaveAudio", inputs: { audio: ["9", 0] } } };
  assert.deepEqual(plan("vary", { graph }), { missing: true });
});

test("files are named as ComfyUI's loader names them", () => {
  assert.equal(fileOf({ filename: "a.flac", subfolder: "", type: "temp" }), "a.flac [temp]");
});

test("all that has run keeps the seed it ran with", () => {
  const earlier = { 4: { class_type: "AceSuiteSampler", inputs: { seed: 5 } } };
  assert.deepEqual(held({ 1: GRAPH, 4: earlier, 5: GRAPH, 9: undefined }), { 4: { seed: "5" } });
  const linked = { 4: { class_type: "AceSuiteSampler", inputs: { seed: ["3", 0] } } };
  assert.deepEqual(held({ 4: linked }), {});
});
