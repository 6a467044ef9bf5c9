// From a song to the nodes that go on with it, as a plan that any graph can be given.
//   action, graph (as a prompt), the song's node, its facts, one of its clips
//     -> {add: {key: {type, title?, column, values, links}}, fix: {id: {widget: value}}}
//     or {missing} where the graph has nothing the song was made with
// A link is [id of a node that is there, or key of one to be added; slot]. The plan leaves the
// song's own nodes as they are, except that their seeds stay, so that they are not run again.

export const ACTIONS = ["vary", "inpaint", "extend", "use_seed"];

const SAMPLER = "AceSuiteSampler";
export const SONGS = new Set(["AceSuiteSaveAudio", "AceSuitePreviewAudio"]);
const FROM_NOISE = new Set(["text2music", "retake"]); // a seed alone makes these again

const isLink = (value) => Array.isArray(value) && value.length === 2;

export function planned(action, graph, songId, facts, clip) {
  const maker = makerOf(graph, songId);
  if (!maker) return { missing: true };
  if (action === "use_seed") return { add: {}, fix: seedOf(maker, clip.seed) };
  // In their columns what grows most comes last: what is heard of the lyrics.
  const add = { ...tasks(action, facts, clip), ...chain(graph, maker, songId, facts) };
  add.sampler.links.task = ["task", 0];
  return { add, fix: kept(graph, songId) };
}

// The node that sampled the song: the one whose info it has, or the nearest before it.
function makerOf(graph, songId) {
  const seen = new Set();
  const next = [songId];
  while (next.length) {
    const id = next.shift();
    const node = graph[id];
    if (!node || seen.has(id)) continue;
    seen.add(id);
    if (node.class_type === SAMPLER || isBox(node)) return { id, ...node };
    const { info, ...others } = node.inputs;
    for (const value of [info, ...Object.values(others)]) if (isLink(value)) next.push(value[0]);
  }
  return null;
}

const isBox = ({ class_type, inputs }) =>
  /^AceSuite\w+ToAudio$|^AceSuiteAudio(In|Out)paint$/.test(class_type) && isLink(inputs.model);

const seedOf = (maker, seed) => (seed === undefined ? {} : { [maker.id]: { seed } });

// The seeds that the song's own nodes ran with; by then the page shows the next ones.
function kept(graph, songId) {
  const fix = {};
  const next = [songId];
  const seen = new Set();
  while (next.length) {
    const id = next.pop();
    if (seen.has(id) || !graph[id]) continue;
    seen.add(id);
    const { inputs } = graph[id];
    if (typeof inputs.seed === "number") fix[id] = { seed: String(inputs.seed) };
    for (const value of Object.values(inputs)) if (isLink(value)) next.push(value[0]);
  }
  return fix;
}

// Seeds of all that has run, as they were then. `ran`: {id: the prompt that node ran in}.
export function held(ran) {
  const fix = {};
  for (const [id, prompt] of Object.entries(ran)) {
    const seed = prompt?.[id]?.inputs?.seed;
    if (typeof seed === "number") fix[id] = { seed: String(seed) };
  }
  return fix;
}

function chain(graph, maker, songId, facts) {
  const model = maker.inputs.model;
  const words = textNodes(graph, maker, facts, model);
  const song = graph[songId];
  const add = {
    ...words.add,
    sampler: {
      type: SAMPLER,
      column: 2,
      values: { ...valuesOf(maker, SAMPLER), batch_size: 1, seconds: lengthOf(maker, facts) },
      links: { model, tags: words.tags, lyrics: words.lyrics },
    },
    decode: {
      type: "AceSuiteDCAEDecode",
      column: 3,
      values: {},
      links: { model, latent: ["sampler", 0] },
    },
    song: {
      type: SONGS.has(song.class_type) ? song.class_type : "AceSuitePreviewAudio",
      column: 4,
      values: valuesOf(song, song.class_type),
      links: { audio: ["decode", 0], info: ["sampler", 1] },
    },
  };
  delete add.sampler.values.seed; // of what is new: any other
  if (isLink(song.inputs.model)) add.song.links.model = song.inputs.model;
  for (const name of ["guidance_settings", "schedule"])
    if (isLink(maker.inputs[name])) add.sampler.links[name] = maker.inputs[name];
  if (maker.class_type !== SAMPLER) Object.assign(add, hosted(add.sampler, facts));
  return add;
}

// A box samples as the hosted services do, or as the demonstration model recommends.
function hosted(sampler, facts) {
  sampler.links.guidance_settings = ["guidance", 0];
  sampler.links.schedule = ["schedule", 0];
  const values = { preset: facts.recommended ? "auto" : "fal" };
  return {
    guidance: { type: "AceSuiteGuidance", column: 1, values, links: {} },
    schedule: { type: "AceSuiteSchedule", column: 1, values, links: {} },
  };
}

const valuesOf = (node, type) =>
  node.class_type !== type
    ? {}
    : Object.fromEntries(Object.entries(node.inputs).filter(([, value]) => !isLink(value)));

// As long as it was asked for: what was made is shorter by a part of a frame.
const lengthOf = (maker, facts) =>
  FROM_NOISE.has(facts.task) && typeof maker.inputs.seconds === "number"
    ? maker.inputs.seconds
    : (facts.asked_seconds ?? facts.seconds);

// The song's words: through the nodes that are there while they say the same, else in new ones.
function textNodes(graph, maker, facts, model) {
  const add = {};
  const through = (input, type, field, text) => {
    const link = maker.inputs[input];
    const node = isLink(link) ? graph[link[0]] : null;
    if (node?.class_type === type && node.inputs[field] === text) return link;
    const values = { ...(node?.class_type === type ? valuesOf(node, type) : {}), [field]: text };
    add[field] = { type, column: 0, values, links: { model } };
    return [field, 0];
  };
  const tags = through("tags", "AceSuiteTagEncode", "tags", facts.tags ?? "");
  const lyrics = through("lyrics", "AceSuiteLyricEncode", "lyrics", facts.words ?? "");
  return { add, tags, lyrics };
}

function tasks(action, facts, clip) {
  const own = facts.source_seeds?.[clip.take - 1] ?? facts.source_seeds?.[0] ?? clip.seed;
  if (action === "vary" && FROM_NOISE.has(facts.task)) {
    const values = { source_seed: own, variance: 0.2 };
    return { task: { type: "AceSuiteRetake", column: 1, values, links: {} } };
  }
  const source = {
    type: "LoadAudio",
    title: "title_source",
    column: 0,
    values: { audio: fileOf(clip) },
    links: {},
  };
  const task = { ...TASKS[action](clip), column: 1 };
  task.links = { source_audio: ["source", 0] };
  const add = { source, task };
  if (action !== "vary" && FROM_NOISE.has(facts.task) && own !== undefined) {
    add.seed = { type: "PrimitiveInt", title: "title_seed", column: 0, links: {} };
    add.seed.values = { value: own, control_after_generate: "fixed" };
    task.links.source_seed = ["seed", 0];
  }
  return add;
}

const tenth = (seconds) => Math.round(seconds * 10) / 10;

const TASKS = {
  vary: () => ({ type: "AceSuiteAudioReference", values: { strength: 0.5 } }),
  inpaint: ({ seconds = 30 }) => ({
    type: "AceSuiteInpaintMask",
    values: { start: tenth(seconds / 3), end: tenth((2 * seconds) / 3) },
  }),
  extend: () => ({ type: "AceSuiteExtend", values: { before: 0, after: 30 } }),
};

// As ComfyUI's loader names a file that lies in another of its folders.
export function fileOf({ filename, subfolder, type }) {
  return `${subfolder ? `${subfolder}/` : ""}${filename} [${type}]`;
}
