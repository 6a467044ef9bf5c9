// Where a node's input comes from: through reroutes, bypassed nodes and the edges of subgraphs.
//   node, input's name, graph -> the node that holds the subgraph `graph` -> {node, slot} or null

// ComfyUI's own, and the one that reads stretches of a file.
export const LOADERS = ["LoadAudio", "AceSuiteOpenAudio"];
const REROUTE = "Reroute";
const EDGE_IN = "-10"; // id of a subgraph's own node of inputs; a number on older pages
const [ALWAYS, BYPASSED] = [0, 4];
const MOST = 200; // steps, against circles

const linkOf = (graph, id) =>
  id == null ? null : (graph?.getLink?.(id) ?? graph?.links?.get?.(id) ?? graph?.links?.[id] ?? null);

export function originOf(node, name, ownerOf) {
  const slot = node.inputs?.findIndex((one) => one.name === name) ?? -1;
  return slot < 0 ? null : followed(node, slot, ownerOf);
}

function followed(node, slot, ownerOf) {
  let at = { graph: node.graph, link: node.inputs[slot]?.link };
  for (let step = 0; step < MOST; step += 1) {
    const link = linkOf(at.graph, at.link);
    if (!link) return null;
    if (String(link.origin_id) === EDGE_IN) {
      const owner = ownerOf(at.graph);
      at = { graph: owner?.graph, link: owner?.inputs?.[link.origin_slot]?.link };
      continue;
    }
    const from = at.graph.getNodeById(link.origin_id);
    if (!from) return null;
    const next = before(from, link.origin_slot, link.type);
    if (next === null) return null;
    if (next === undefined) return { node: from, slot: link.origin_slot };
    at = next;
  }
  return null;
}

// The link that a node hands on: undefined where it makes the output itself, null where none is.
function before(node, slot, type) {
  const mode = node.mode ?? ALWAYS;
  if (node.type === REROUTE) return { graph: node.graph, link: node.inputs?.[0]?.link };
  if (mode === BYPASSED) {
    const own = node.outputs?.[slot]?.type ?? type;
    const inputs = node.inputs ?? [];
    const input = inputs[slot]?.type === own ? inputs[slot] : inputs.find((one) => one.type === own);
    return input ? { graph: node.graph, link: input.link } : null;
  }
  if (mode !== ALWAYS) return null;
  if (!node.subgraph) return undefined;
  const [link] = node.subgraph.outputs?.[slot]?.linkIds ?? [];
  return link == null ? null : { graph: node.subgraph, link };
}

const valueOf = (node, name) => {
  const isLinked = node.inputs?.some((one) => one.widget?.name === name && one.link != null);
  return isLinked ? undefined : node.widgets?.find((one) => one.name === name)?.value;
};

// The file that a node's source is loaded from, as ComfyUI's loader names it; "" for any other
// sound, null where nothing is connected.
export function fileOf(node, name, ownerOf) {
  const origin = originOf(node, name, ownerOf);
  if (!origin) return null;
  if (!LOADERS.includes(origin.node.comfyClass ?? origin.node.type)) return "";
  const value = valueOf(origin.node, "audio");
  return typeof value === "string" && value !== "none" ? value : "";
}

// The lyric that is sung in the source: written on the node, an edit's own, or that of the Sampler
// the task goes to.
export function lyricOf(node, ownerOf) {
  const own = writtenOn(node) ?? encoderOf(node, "source_lyrics", ownerOf);
  if (own) return own;
  for (const { node: next } of goals(node))
    if ((next.comfyClass ?? next.type) === "AceSuiteSampler") {
      const found = encoderOf(next, "lyrics", ownerOf);
      if (found) return found;
    }
  return null;
}

function encoderOf(node, name, ownerOf) {
  const origin = originOf(node, name, ownerOf);
  const isEncoder = (origin?.node.comfyClass ?? origin?.node.type) === "AceSuiteLyricEncode";
  return isEncoder ? writtenOn(origin.node) : null;
}

function writtenOn(node) {
  const lyrics = valueOf(node, "lyrics");
  const language = valueOf(node, "language") ?? "auto";
  return typeof lyrics === "string" && lyrics.trim() ? { lyrics, language } : null;
}

// The nodes that a node's first output goes to, through reroutes.
function goals(node, depth = 0) {
  const links = node.outputs?.[0]?.links ?? [];
  return links.flatMap((id) => {
    const link = linkOf(node.graph, id);
    const next = link && node.graph.getNodeById(link.target_id);
    if (!next) return [];
    return next.type === REROUTE && depth < MOST ? goals(next, depth + 1) : [{ node: next }];
  });
}

// "audio/song.flac [temp]" as /view is asked for it.
export function placeOf(name) {
  const found = /^(.+) \[(input|output|temp)\]$/s.exec(name);
  const [whole, type] = found ? [found[1], found[2]] : [name, "input"];
  const cut = whole.lastIndexOf("/");
  return { filename: whole.slice(cut + 1), subfolder: cut < 0 ? "" : whole.slice(0, cut), type };
}
