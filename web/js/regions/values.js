// A node's plain inputs and what is drawn of them, both ways. The inputs are the truth.
//   values -> {regions, isText, wrong}        regions -> values to be put
// One region of Inpaint Mask lives in start and end; several, and those of Remix / Edit, in text.

import { plain } from "./algebra.js";
import { START, readRegions, spelled } from "./spelling.js";

export const INPAINT = "AceSuiteInpaintMask";
export const REMIX = "AceSuiteRemixEdit";
export const EXTEND = "AceSuiteExtend";
export const NODES = [INPAINT, EXTEND, REMIX];
// What decides what is drawn.
export const NAMES = {
  [INPAINT]: ["start", "end", "start_from", "end_from", "regions"],
  [REMIX]: ["regions"],
  [EXTEND]: ["before", "after"],
};

const number = (value) => (Number.isFinite(Number(value)) ? Number(value) : 0);

export function stateOf(kind, values) {
  if (kind === EXTEND) return { regions: [], isText: false, wrong: "" };
  let regions = [];
  try {
    regions = readRegions(String(values.regions ?? ""));
  } catch (error) {
    return { regions: [], isText: true, wrong: error.message };
  }
  if (regions.length || kind === REMIX) return { regions, isText: true, wrong: "" };
  const one = {
    ...plain(number(values.start), number(values.end)),
    startFrom: values.start_from ?? START,
    endFrom: values.end_from ?? START,
  };
  return { regions: [one], isText: false, wrong: "" };
}

export function valuesOf(kind, regions, values) {
  const isText = kind === REMIX || Boolean(String(values.regions ?? "").trim());
  if (isText || regions.length !== 1) return { regions: spelled(regions) };
  const [{ start, end, startFrom, endFrom }] = regions;
  return { start, end, start_from: startFrom, end_from: endFrom };
}

// Inpaint Mask has a region at all times: without a text it is start and end.
export const leastOf = (kind) => (kind === REMIX ? 0 : 1);
