// A plan of carry.js put into the graph that is open, and the buttons that ask for one.

import { app, asInput, everyNode, isCanvas, nodeAt, root, say, titleOf, toast, typeOf } from "./comfy.js";
import { ACTIONS, SONGS, held, planned } from "./carry.js";
import { element } from "./panel.js";
import { freeName, partOf, placed } from "./place.js";

const NARROWEST = 330;

// `promptOf`: node -> the prompt that its song was made with.
export function buttonsFor(promptOf) {
  return (node, facts, clip) => {
    const run = facts.find((one) => one.clips?.includes(clip));
    if (!SONGS.has(typeOf(node)) || !run?.task) return [];
    return ACTIONS.map((action) => {
      const button = element("button", "", say(action));
      button.type = "button";
      button.title = say(`${action}_tip`);
      button.addEventListener("click", () => act(action, promptOf, node, run, clip));
      return button;
    });
  };
}

async function act(action, promptOf, node, facts, clip) {
  const id = idOf(node);
  const open = (await app.graphToPrompt()).output;
  const plan = planned(action, withSeeds(open, promptOf(node)), id, facts, clip);
  const graph = node.graph ?? root();
  const { source } = plan.add ?? {};
  if (source) source.values.audio = (await asInput(clip)) ?? source.values.audio;
  if (plan.missing || !fits(plan, graph))
    return toast(action, "warn", say(action), say("no_sampler"), 8000);
  graph.beforeChange?.();
  fix({ ...(action === "use_seed" ? {} : others(promptOf)), ...plan.fix });
  const name = freeName(say(`title_${action}`), everyNode().map(([, one]) => one.title));
  const made = grow(plan.add, graph, name);
  lay(plan.add, made, graph, node);
  graph.afterChange?.();
  graph.setDirtyCanvas?.(true, true);
  app.extensionManager?.workflow?.activeWorkflow?.changeTracker?.checkState?.();
  if (action !== "use_seed") bringIntoView(Object.values(made));
  toast(action, "success", say(action), done(action, plan, clip, name), 6000);
}

function done(action, plan, clip, name) {
  if (action !== "use_seed") return say("nodes_added", { what: name });
  const [id] = Object.keys(plan.fix);
  return say("seed_is_used", { seed: clip.seed, node: titleOf(nodeAt(id)) });
}

// Other songs of the graph stay as they are: the next run makes what is added, and that alone.
// A seed that stays by itself may have been typed since.
function others(promptOf) {
  const shuffled = everyNode().filter(([, node]) =>
    node.widgets?.some(({ name, value }) => name === "control_after_generate" && value !== "fixed"),
  );
  return held(Object.fromEntries(shuffled.map(([id, node]) => [id, promptOf(node)])));
}

const idOf = (node) => everyNode().find(([, one]) => one === node)?.[0];

// Links lead from nodes of the same graph: not through the edge of a subgraph.
function fits(plan, graph) {
  const links = Object.values(plan.add).flatMap((one) => Object.values(one.links));
  return links.every(([from]) => from in plan.add || nodeAt(from)?.graph === graph);
}

// The graph as it is, with the seeds that the song was made with.
function withSeeds(open, ran) {
  for (const [id, node] of Object.entries(open)) {
    const seed = ran?.[id]?.inputs?.seed;
    if (ran?.[id]?.class_type === node.class_type && typeof seed === "number")
      node.inputs.seed = seed;
  }
  return open;
}

function fix(widgets) {
  for (const [id, values] of Object.entries(widgets)) {
    const node = nodeAt(id);
    if (!node) continue;
    for (const [name, value] of Object.entries(values)) put(node, name, value);
    put(node, "control_after_generate", "fixed");
    for (const name of Object.keys(values)) redraw(node, name);
  }
}

// Nodes 2.0 read what becomes of a seed once, when they draw its widget. It is drawn anew: gone
// for a frame from what is drawn, never from what is saved.
async function redraw(node, name) {
  const widget = node.widgets?.find((one) => one.name === name);
  if (isCanvas() || !widget?.options) return;
  for (const hidden of [true, widget.options.hidden ?? false]) {
    widget.options.hidden = hidden;
    node.widgets.push(node.widgets.pop()); // the page looks when the list changes
    await new Promise(requestAnimationFrame);
  }
}

function put(node, name, value) {
  const widget = node.widgets?.find((one) => one.name === name);
  if (!widget) return;
  const typed = typeof widget.value === "number" ? Number(value) : value;
  const options = widget.options?.values;
  if (Array.isArray(options) && !options.includes(typed)) options.push(typed);
  widget.value = typed;
  widget.callback?.(typed);
}

function grow(add, graph, called) {
  const made = {};
  const { LiteGraph } = globalThis;
  for (const [key, { type, title, values }] of Object.entries(add)) {
    const node = LiteGraph.createNode(type);
    if (!node) continue;
    graph.add(node);
    node.title = key === "task" ? called : partOf(called, title ? say(title) : node.title);
    for (const [name, value] of Object.entries(values)) put(node, name, value);
    made[key] = node;
  }
  for (const [key, { links }] of Object.entries(add))
    for (const [input, [from, slot]] of Object.entries(links))
      connect(made[from] ?? nodeAt(from), slot, made[key], input);
  if (made.sampler) put(made.sampler, "seed", Math.floor(Math.random() * 2 ** 48));
  return made;
}

function connect(from, slot, to, input) {
  const place = to?.inputs?.findIndex((one) => one.name === input);
  if (from && place >= 0) from.connect(slot, to, place);
}

// Nodes 2.0 draws a node as large as what it shows; its size follows later, if at all.
function sizeOf(node) {
  const box = document.querySelector(`[data-node-id="${node.id}"]`)?.getBoundingClientRect();
  const { scale } = app.canvas.ds;
  const drawn = box ? [box.width / scale, box.height / scale] : [0, 0];
  return node.size.map((one, side) => Math.max(one, drawn[side]));
}

// In columns, from the song's node on to the right.
function lay(add, made, graph, song) {
  const own = new Set(Object.values(made));
  const there = (graph.nodes ?? graph._nodes).filter((node) => !own.has(node));
  const columns = [];
  for (const [key, { column }] of Object.entries(add))
    if (made[key]) (columns[column] ??= []).push(made[key]);
  const rows = columns.filter(Boolean);
  for (const node of rows.flat()) {
    const [width, height] = node.computeSize();
    node.setSize([Math.max(width, NARROWEST), Math.max(height, node.size[1])]);
  }
  const edges = there.map((node) => node.pos[0] + sizeOf(node)[0]);
  const places = placed(edges, song.pos[1], rows.map((column) => column.map(sizeOf)));
  for (const [at, column] of rows.entries())
    for (const [below, node] of column.entries()) node.pos = places[at][below];
}

// What was added is selected, so that it is seen at once, and one key takes it away again. Only
// once it was drawn: before, the page does not know how large it is, and the click on the button
// may yet select the song's node.
function bringIntoView(nodes) {
  const look = () => {
    app.canvas.selectNodes?.(nodes);
    app.extensionManager?.command?.execute("Comfy.Canvas.FitView");
  };
  requestAnimationFrame(() => setTimeout(look, 200));
}
