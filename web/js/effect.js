// Widgets that have no effect as things stand are grey: idle(type, values, links) -> names.
//   values: of the node's widgets; links: {input: type of the node it comes from}

const all = (values, ...but) => Object.keys(values).filter((name) => !but.includes(name));
const PRESET_KEEPS = ["preset", "compat"];
export const UNKNOWN = "?"; // where a link comes out of a subgraph's edge
const WITHOUT_SOURCE = new Set(["AceSuiteRetake", UNKNOWN]);
const COMPRESSED = new Set(["mp3", "opus"]);
// What an edit of the original reads.
const EDIT_READS = ["number_of_steps", "guidance_scale"];
const EDIT_CONTROLS = /^(scheduler|guidance_|granularity_|minimum_guidance_|(tag|lyric)_guidance_)/;

const RULES = {
  AceSuiteSampler: (values, links) => [
    ...(links.task && !WITHOUT_SOURCE.has(links.task) ? ["seconds"] : []),
    ...(links.guidance_settings ? ["guidance", "guidance_scale"] : []),
    ...(links.schedule ? ["steps", "solver"] : []),
  ],
  AceSuiteInpaintMask: (values, links) =>
    links.mask || values.regions?.trim() ? ["start", "end", "start_from", "end_from"] : [],
  AceSuiteRemixEdit: (values) => (values.mode === "custom" ? [] : ["edit_start", "edit_stop"]),
  AceSuiteGuidance: (values) =>
    values.preset === "custom" ? [] : all(values, ...PRESET_KEEPS),
  AceSuiteSchedule: (values) => {
    if (values.preset !== "custom") return all(values, ...PRESET_KEEPS);
    return values.chosen_steps ? ["steps"] : [];
  },
  AceSuiteDCAEDecode: (values) => (values.splice === false ? ["crossfade"] : []),
  AceSuiteSaveAudio: (values) => [
    ...(COMPRESSED.has(values.format) ? ["bits"] : []),
    ...(values.format && !COMPRESSED.has(values.format) ? ["kilobits"] : []),
  ],
  AceSuiteSongWriter: (values) => (values.lock ? all(values, "lock", "tags", "lyrics", "seconds") : []),
  AceSuiteAudioToAudio: (values) =>
    values.extended
      ? []
      : Object.keys(values).filter(
          (name) => EDIT_CONTROLS.test(name) && !EDIT_READS.includes(name),
        ),
};

// Less what this pack draws on its nodes: a text that a run shows is never grey.
export const inputsOf = (widgets) => widgets.filter(({ type }) => !String(type).startsWith("acesuite_"));

export const hasRules = (type) => type in RULES;

// A value that comes through a link is not known: then nothing is said to be without effect.
export function idle(type, values, links = {}) {
  const names = RULES[type]?.(values, links) ?? [];
  const deciding = { AceSuiteRemixEdit: "mode", AceSuiteSaveAudio: "format" }[type];
  return new Set(links[deciding ?? "preset"] ? [] : names);
}
