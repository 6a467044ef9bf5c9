// What facts say: every node's kinds of them, in both languages.
import assert from "node:assert/strict";
import { test } from "node:test";

import { clipsOf, labelOf, levelsOf, sectionsOf } from "../../../web/js/facts.js";
import { WORDS, sayer } from "../../../web/js/words.js";

const say = sayer("en-US");
const textsOf = (facts) => sectionsOf([facts], say).flatMap((one) => one.lines.map(({ text }) => text));

test("both languages have the same keys, with the same values in them", () => {
  assert.deepEqual(Object.keys(WORDS.zh).sort(), Object.keys(WORDS.en).sort());
  const named = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [key, text] of Object.entries(WORDS.en)) assert.deepEqual(named(WORDS.zh[key]), named(text), key);
});

test("another language is English, a key nobody knows itself, a value that is missing visible", () => {
  assert.equal(sayer("fr")("source"), "Source");
  assert.equal(sayer("zh-TW")("source"), WORDS.zh.source);
  assert.equal(say("nothing"), "nothing");
  assert.equal(say("take_seed", { take: 2 }), "Take 2, seed {seed}");
});

test("seeds stand on the node that has no players, as long as they are", () => {
  const seeds = ["18446744073709551615", "0"];
  assert.deepEqual(textsOf({ seeds }), ["Made with seeds 18446744073709551615, 0"]);
  assert.deepEqual(textsOf({ seeds, clips: [{}] }), []);
  assert.deepEqual(textsOf({ seeds: ["7"], source_seeds: ["5", "5"] }), ["Made with seed 7", "Seed of the source: 5"]);
});

test("clips are labelled by what they are", () => {
  const takes = [1, 2].map((take) => ({ kind: "take", take, seed: String(76 + take) }));
  const labels = (clips) => clips.map((clip) => labelOf(clip, clips, say));
  assert.deepEqual(labels([...takes, { kind: "source" }]), ["Take 1, seed 77", "Take 2, seed 78", "Source"]);
  assert.deepEqual(labels([takes[0]]), ["Song, seed 77"]);
  assert.deepEqual(labels([{ kind: "take", take: 1 }]), ["Song"]);
  assert.equal(clipsOf([{ clips: takes }, {}, { clips: takes }]).length, 4);
});

test("levels are one line, what is wrong another", () => {
  const lines = (clip) => levelsOf(clip, say).map(({ text, level }) => [text, level]);
  assert.deepEqual(lines({ seconds: 59.907, loudness: -14.21, peak: -0.34 }), [["59.9 s · -14.2 LUFS · peak -0.3 dBTP", "quiet"]]);
  assert.deepEqual(lines({ seconds: 2, loudness: null, peak: null }).at(-1), ["The clip is silent.", "warning"]);
  assert.deepEqual(lines({ seconds: 2, peak: 0.5, clipped: 3 }).at(-1)[1], "warning");
  assert.deepEqual(lines({}), []);
});

test("warnings are coloured, notes quiet, a report by how its lines begin", () => {
  const levels = (facts) => sectionsOf([facts], say).flatMap((one) => one.lines.map(({ level }) => level));
  assert.deepEqual(levels({ warnings: ["a"], notes: ["b"] }), ["warning", "quiet"]);
  assert.deepEqual(levels({ report: ["OK model: x", "MISSING package y", "Optional package z", "w"] }), ["good", "error", "quiet", "info"]);
});

const EDIT = {
  task: "Inpaint",
  seed: 1,
  seconds: 30,
  regions: [[10, 20], [22.5, 23]],
  outside_identical: true,
  steps_run: 27,
  steps: 60,
  change: {
    outside: null,
    inside: -3.21,
    spectrum: 12.04,
    edges: [{ seconds: 10, level: 0.46, own_level: -1, spectrum: 3, own_spectrum: 2 }],
  },
  levels: [{ gain: -2, before: -10, after: -12, unit: "LUFS", source: -12 }],
  notes: ["n"],
  warnings: ["w"],
};

test("an edit is told in words, its numbers folded", () => {
  const [first, numbers] = sectionsOf([{ edits: [EDIT] }], say);
  const [what, outside, warning, note] = first.lines;
  assert.equal(what.text, "Inpaint: new 10.00-20.00 s, 22.50-23.00 s of 30.00 s");
  assert.deepEqual([outside.level, warning.level, note.level], ["good", "warning", "quiet"]);
  assert.ok(numbers.folded);
  const texts = numbers.lines.map(({ text }) => text);
  assert.equal(texts[0], "Edge at 10.00 s: level step +0.5 dB (source -1.0), spectral step 3.0 dB (source 2.0)");
  assert.ok(texts.includes("27 of 60 steps were sampled"));
  assert.ok(texts.at(-1).startsWith("Level -2.0 dB"));
});

test("an edit of the whole clip says so, to the digits that are told", () => {
  const first = (regions) => sectionsOf([{ edits: [{ ...EDIT, regions }] }], say)[0].lines[0].text;
  assert.equal(first([[0, 29.9983]]), "Inpaint: all 30.00 s are new");
  assert.equal(first([[0, 29.9]]), "Inpaint: new 0.00-29.90 s of 30.00 s");
});

test("an edit that changed the outside says by how much, and one without regions that nothing is new", () => {
  const change = { ...EDIT.change, outside: -60, edges: [] };
  const edit = { ...EDIT, regions: [], outside_identical: false, change };
  const [first] = sectionsOf([{ edits: [edit] }], say);
  assert.match(first.lines[0].text, /nothing is new/);
  assert.match(first.lines[1].text, /up to -60\.0 dB/);
});

test("lyrics line by line: language, how it is heard, what is unknown; what is wrong is not folded", () => {
  const lines = [
    { number: 1, text: "[verse]", language: "", heard: "", unknown: [], advice: "" },
    { number: 2, text: "2 x", language: "en", heard: "two x", unknown: ["😀"], advice: "" },
  ];
  const facts = { lyrics: { lines, notes: ["not sung"], advice: [{ line: 2, level: "warning", text: "long" }] } };
  const [wrong, heard] = sectionsOf([facts], say);
  assert.deepEqual(wrong.lines.map(({ text }) => text), ["not sung", "Line 2: long"]);
  assert.equal(heard.title, "Lyrics as heard (2 lines)");
  const [one] = sectionsOf([{ lyrics: { lines: lines.slice(1) } }], say);
  assert.equal(one.title, "Lyrics as heard (one line)");
  assert.ok(heard.folded);
  assert.equal(heard.lines[1].badge, "en");
  assert.deepEqual(heard.lines[1].under.map(({ text }) => text), ["heard as: two x", "unknown to the model, not sung: 😀"]);
});
