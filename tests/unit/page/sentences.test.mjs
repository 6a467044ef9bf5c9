// Sentences of the server in Chinese: whole, in parts, and as they are where nobody knows them.
import assert from "node:assert/strict";
import { test } from "node:test";

import { SENTENCES, told } from "../../../web/js/sentences.js";
import { sayer } from "../../../web/js/words.js";

const zh = (text) => told(text, "zh");

test("every sentence is said in Chinese, and again as itself in English", () => {
  for (const [english] of SENTENCES.zh) {
    const text = english.replaceAll("{}", "7");
    assert.match(zh(text), /[\u4e00-\u9fff]/, text);
    assert.equal(told(text, "en"), text);
  }
});

test("values keep their places, and are translated where they are sentences", () => {
  assert.equal(zh("The region is reversed: it starts at 3.00 s and ends at 1.00 s of 5.00 s. Exchange the two, or check from where each is counted."), "区域颠倒了：共 5.00 秒，它从 3.00 秒到 1.00 秒。请交换两者，或检查各自从哪一端算起。");
  assert.equal(zh("Clip 2 was over full scale: its level was brought down by 8.5 dB, to -1 dBTP, so that nothing is cut."), "第 2 段超过满刻度：电平已降低 8.5 dB，到 -1 dBTP，避免削波。");
  assert.equal(zh("Clips 2, 3 were over full scale: their levels were brought down by 4.5, 10.5 dB, to -1 dBTP, so that nothing is cut."), "第 2, 3 段超过满刻度：电平分别已降低 4.5, 10.5 dB，到 -1 dBTP，避免削波。");
  assert.equal(zh("Instrumental, 10 styles: lofi, house."), "纯音乐，10 种风格：lofi, house。");
  assert.equal(zh("ACE-Step small demonstration model (folder small_model), 0.06 GB, computing in float32 on cpu, sound in float32"), "ACE-Step small demonstration model（folder small_model），占 0.06 GB，以 float32 在 cpu 上计算，声音用 float32");
});

test("a warning, several sentences and a part that is left out", () => {
  assert.equal(zh("Warning: the latent was changed after the Sampler, so it is no longer what its task made. It is decoded whole and not put into its source."), "Latent 在采样器之后被改动，已不是任务的结果。它被整体解码，没有放回源音频。");
  assert.equal(zh("Several empty lines follow one another. Write [verse]."), "有几个连续的空行。请写 [verse]。");
  assert.equal(zh("The source peaks at +0.3 dBTP, with 12 samples at full scale, over -1 dBTP; it was not changed. It may be clipped: lower its level first if you hear distortion."), "原曲峰值 +0.3 dBTP，其中 12 个采样点达到满刻度，超过 -1 dBTP；未作改动。它可能已削波：如果听到失真，请先降低它的电平。");
});

test("inputs are called as the page calls them", () => {
  const text = "seconds is 300; it must be between 0.1 and 240.";
  assert.equal(told(text, "zh", { seconds: "时长(秒)" }), "“时长(秒)”为 300；必须在 0.1 到 240 之间。");
  assert.equal(sayer("zh")(text, {}, { steps: "步数" }), "“seconds”为 300；必须在 0.1 到 240 之间。");
});

test("half a sentence helps nobody", () => {
  const half = "Several empty lines follow one another. Nobody knows this.";
  assert.equal(zh(half), half);
  assert.equal(sayer("zh")(half), half);
  assert.equal(sayer("zh-CN")("Break it in two."), "请分成两行。");
  assert.equal(sayer("en")("Break it in two."), "Break it in two.");
});
