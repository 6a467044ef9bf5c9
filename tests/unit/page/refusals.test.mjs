// Sentences for what ComfyUI refuses before a run, and for errors of a run.
import assert from "node:assert/strict";
import { test } from "node:test";

import { isOurs, refusedBy, sentenceOf } from "../../../web/js/refusals.js";
import { sayer } from "../../../web/js/words.js";

const say = sayer("en");
const one = (type, extra_info = {}, details = "") =>
  refusedBy({ 4: { class_type: "AceSuiteSampler", errors: [{ type, message: "m", details, extra_info }] } }, say)[4][0];

test("the node's name is left out of a sentence that stands on it", () => {
  const said = (exception_message) => sentenceOf({ exception_message });
  assert.equal(said("Tag Encode (ACE-Step): Tags are empty. Describe: pop."), "Tags are empty. Describe: pop.");
  assert.equal(said("Load ACE-Step: no checkpoint\n"), "no checkpoint");
  assert.equal(said("Remix / Edit (ACE-Step): a: b"), "a: b");
  assert.equal(said("something: else"), "something: else");
});

test("each kind of refusal has its sentence, with a fix", () => {
  const config = ["FLOAT", { min: 0.1, max: 240 }];
  const about = (input_config, received_value) => ({ input_name: "seconds", input_config, received_value });
  assert.equal(one("value_bigger_than_max", about(config, 1000)), "seconds is 1000, which is more than 240. Lower it.");
  assert.equal(one("value_smaller_than_min", about(config, 0)), "seconds is 0, which is less than 0.1. Raise it.");
  assert.equal(one("required_input_missing", { input_name: "tags" }), "tags is missing. Connect it.");
  assert.match(one("value_not_in_list", about([["a"], {}], "b")), /^seconds is "b".*Choose one/);
  assert.match(one("invalid_input_type", about(config, "long")), /no number\. Enter one/);
  assert.match(one("return_type_mismatch", about(["LATENT", {}], ["1", 0])), /takes LATENT/);
});

test("what nobody has foreseen is ComfyUI's own words, and nothing is left unfilled", () => {
  assert.equal(one("exception_during_validation", {}, "why"), "AceSuiteSampler: m (why)");
  assert.ok(!/\{/.test(one("value_bigger_than_max", { input_name: "x" }, "d")));
});

test("in Chinese, with the page's own name of the input and kinds in Chinese", () => {
  const extra_info = { input_name: "seconds", input_config: ["FLOAT", { max: 240 }], received_value: 1000 };
  const said = (type) =>
    refusedBy({ 4: { class_type: "AceSuiteSampler", errors: [{ type, extra_info }] } }, sayer("zh"), (id, name) => `${name}@${id}`)[4][0];
  assert.equal(said("value_bigger_than_max"), "“seconds@4”为 1000，大于 240。请调低。");
  assert.equal(said("invalid_input_type"), "“seconds@4”为 1000，不是数字。请输入正确的值。");
});

test("only our nodes are spoken for", () => {
  assert.deepEqual(refusedBy({ 1: { class_type: "KSampler", errors: [] } }, say), {});
  assert.deepEqual(refusedBy(null, say), {});
  assert.ok(isOurs("AceSuiteLoad"));
  assert.ok(!isOurs(undefined));
});
