// Which widgets have no effect.
import assert from "node:assert/strict";
import { test } from "node:test";

import { UNKNOWN, hasRules, idle, inputsOf } from "../../../web/js/effect.js";

const names = (...words) => [...idle(...words)].sort();

test("an edit's start and stop count only where the mode is custom", () => {
  const of = (mode) => names("AceSuiteRemixEdit", { mode, edit_start: 0.2, edit_stop: 0.4 });
  assert.deepEqual(of("lyrics"), ["edit_start", "edit_stop"]);
  assert.deepEqual(of("custom"), []);
});

test("a source brings its own length, a retake has none", () => {
  const of = (links) => names("AceSuiteSampler", { seconds: 60 }, links);
  assert.deepEqual(of({ task: "AceSuiteInpaintMask" }), ["seconds"]);
  assert.deepEqual(of({ task: "AceSuiteRetake" }), []);
  assert.deepEqual(of({ task: UNKNOWN }), []);
  assert.deepEqual(of({ schedule: UNKNOWN, guidance_settings: UNKNOWN }), ["guidance", "guidance_scale", "solver", "steps"]);
});

test("a preset brings every value; one that comes through a link is not known", () => {
  const values = { preset: "fal", scale: 3, compat: "corrected" };
  assert.deepEqual(names("AceSuiteGuidance", values), ["scale"]);
  assert.deepEqual(names("AceSuiteGuidance", { ...values, preset: "custom" }), []);
  assert.deepEqual(names("AceSuiteGuidance", values, { preset: UNKNOWN }), []);
  assert.deepEqual(names("AceSuiteSchedule", { preset: "custom", chosen_steps: "1, 2", steps: 5 }), ["steps"]);
});

test("formats, a lock, the original's edit", () => {
  assert.deepEqual(names("AceSuiteSaveAudio", { format: "mp3", bits: "16" }), ["bits"]);
  assert.deepEqual(names("AceSuiteSaveAudio", { format: "flac", bits: "16" }), ["kilobits"]);
  assert.deepEqual(names("AceSuiteSongWriter", { prompt: "", seed: 1, seconds: 9, lock: true, tags: "", lyrics: "" }), ["prompt", "seed"]);
  const box = { extended: false, scheduler: "heun", guidance_scale: 3, guidance_interval: 1, number_of_steps: 9 };
  assert.deepEqual(names("AceSuiteAudioToAudio", box), ["guidance_interval", "scheduler"]);
  assert.deepEqual(names("AceSuiteAudioToAudio", { ...box, extended: true }), []);
});

test("a mask, or regions in writing, take the place of start and end", () => {
  const without = ["end", "end_from", "start", "start_from"];
  const values = { start: 1, end: 2, feather: 0.5, regions: " " };
  assert.deepEqual(names("AceSuiteInpaintMask", values), []);
  assert.deepEqual(names("AceSuiteInpaintMask", values, { mask: "SolidMask" }), without);
  assert.deepEqual(names("AceSuiteInpaintMask", { ...values, regions: "1:2" }), without);
});

test("nodes without rules are left alone", () => {
  assert.ok(!hasRules("KSampler"));
  assert.deepEqual(names("KSampler", { seed: 1 }), []);
});

test("what a node shows is no input: it is not grey", () => {
  const shown = { name: "acesuite", type: "acesuite_panel" };
  const prompt = { name: "prompt", type: "customtext" };
  assert.deepEqual(inputsOf([prompt, shown, { name: "acesuite_regions", type: "acesuite_regions" }]), [prompt]);
});
