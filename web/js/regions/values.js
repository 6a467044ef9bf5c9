// A node's plain inputs and what is drawn of them, both ways. The inputs are the truth.
//   values -> {regions, added, wrong}        regions, or what is added -> values to be put
// One region lives in numbers where the node has them; several, and those of Remix / Edit, in text.

import { plain } from "./algebra.js";
import { START, readRegions, spelled } from "./spelling.js";

export const INPAINT = "AceSuiteInpaintMask";
export const REMIX = "AceSuiteRemixEdit";
export const EXTEND = "AceSuiteExtend";
export const INPAINT_BOX = "AceSuiteAudioInpaint";
export const EXTEND_BOX = "AceSuiteAudioOutpaint";

// How each node calls its source, and the inputs that decide what is drawn:
// of one region [start, end, where each counts from], of several in writing, of what is added.
const KINDS = {
  [INPAINT]: { source: "source_audio", one: ["start", "end", "start_from", "end_from"], text: "regions" },
  [REMIX]: { source: "source_audio", text: "regions" },
  [EXTEND]: { source: "source_audio", longer: ["before", "after"] },
  [INPAINT_BOX]: {
    source: "audio",
    one: ["start_time", "end_time", "start_time_relative_to", "end_time_relative_to"],
  },
  [EXTEND_BOX]: { source: "audio", longer: ["extend_before_duration", "extend_after_duration"] },
};

export const NODES = Object.keys(KINDS);
export const sourceOf = (kind) => KINDS[kind].source;
export const isLonger = (kind) => Boolean(KINDS[kind].longer);

export function namesOf(kind) {
  const { one = [], longer = [], text } = KINDS[kind];
  return [...one, ...longer, ...(text ? [text] : [])];
}

const number = (value) => (Number.isFinite(Number(value)) ? Number(value) : 0);

export function stateOf(kind, values) {
  const { one, longer, text } = KINDS[kind];
  if (longer) {
    const [before, after] = longer.map((name) => number(values[name]));
    return { regions: [], added: { before, after }, wrong: "" };
  }
  let regions = [];
  try {
    regions = text ? readRegions(String(values[text] ?? "")) : [];
  } catch (error) {
    return { regions: [], added: null, wrong: error.message };
  }
  if (!regions.length && one) regions = [single(one.map((name) => values[name]))];
  return { regions, added: null, wrong: "" };
}

const single = ([start, end, startFrom, endFrom]) => ({
  ...plain(number(start), number(end)),
  startFrom: startFrom ?? START,
  endFrom: endFrom ?? START,
});

export function valuesOf(kind, regions, values) {
  const { one, text } = KINDS[kind];
  const isText = text && (!one || regions.length !== 1 || String(values[text] ?? "").trim());
  if (isText) return { [text]: spelled(regions) };
  const { start, end, startFrom, endFrom } = regions.at(-1);
  return valued(one, [start, end, startFrom, endFrom]);
}

// Of {before, after}: seconds of new music at the ends.
export const longerOf = (kind, { before, after }) => valued(KINDS[kind].longer, [before, after]);

const valued = (names, values) => Object.fromEntries(names.map((name, index) => [name, values[index]]));

// A region in numbers is there at all times, and is the only one where there is no text.
export const leastOf = (kind) => (KINDS[kind].one ? 1 : 0);
export const mostOf = (kind) => (KINDS[kind].text ? Infinity : 1);
