// Regions are read and spelled as the core does it: cases.json is what the core says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { readRegions, spelled } from "../../../../web/js/regions/spelling.js";

const CASES = JSON.parse(readFileSync(new URL("./cases.json", import.meta.url), "utf8"));

const read = (text) => {
  try {
    return readRegions(text);
  } catch {
    return null;
  }
};

test("everything the core reads is read alike, everything else refused", () => {
  for (const { text, regions } of CASES) {
    const found = read(text)?.map((one) => [one.start, one.end, one.startFrom, one.endFrom]) ?? null;
    assert.deepEqual(found, regions, JSON.stringify(text));
  }
});

test("regions are spelled alike, and read again as they were", () => {
  for (const one of CASES.filter(({ regions }) => regions)) {
    const text = spelled(readRegions(one.text));
    assert.equal(text, one.spelled);
    assert.deepEqual(readRegions(text), readRegions(one.text));
  }
});

test("what cannot be read is named", () => {
  assert.throws(() => readRegions("1:2; x:4"), { message: "x:4" });
});
