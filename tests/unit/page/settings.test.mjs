// What the pack adds to ComfyUI's settings, in both languages.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { SETTINGS } from "../../../web/js/settings.js";

const chinese = JSON.parse(readFileSync(new URL("../../../locales/zh/settings.json", import.meta.url)));

test("every setting has a place, words and a value of its kind", () => {
  assert.equal(new Set(SETTINGS.map((one) => one.id)).size, SETTINGS.length);
  for (const one of SETTINGS) {
    assert.match(one.id, /^acestepsuite\.[A-Z]\w+$/);
    assert.equal(one.category[0], "ACE-Step");
    assert.equal(one.category.length, 3);
    assert.equal(typeof one.defaultValue, one.type);
    assert.ok(one.name && one.tooltip);
  }
});

test("and its Chinese, under the id that the page looks for", () => {
  const ids = SETTINGS.map((one) => one.id.replace(".", "_")).sort();
  assert.deepEqual(Object.keys(chinese).sort(), ids);
  for (const { name, tooltip } of Object.values(chinese)) assert.match(name + tooltip, /[\u4e00-\u9fff]/);
});

test("the headings they stand below have a Chinese name", () => {
  const main = JSON.parse(readFileSync(new URL("../../../locales/zh/main.json", import.meta.url)));
  const headings = [...new Set(SETTINGS.map((one) => one.category[1]))].sort();
  assert.deepEqual(Object.keys(main.settingsCategories).sort(), headings);
});
