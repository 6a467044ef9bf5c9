// A plan of carry.js put into the graph that is open, and the buttons that ask for one.

import { app, asInput, everyNode, isCanvas, nodeAt, root, say, titleOf, toast, typeOf } from "./comfy.js";
import { ACTIONS, SONGS, held, planned } from "./carry.js";
import { element, existingPanel } from "./panel.js";

const GAP = 60;
const ROOM = 320; // that a song's node takes below itself once it has run

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
  const made = grow(plan.add, graph);
  graph.afterChange?.();
  graph.setDirtyCanvas?.(true, true);
  app.extensionManager?.workflow?.activeWorkflow?.changeTracker?.checkState?.();
  if (action !== "use_seed") bringIntoView(Object.values(made));
  toast(action, "success", say(action), done(action, plan, clip), 6000);
}

function done(action, plan, clip) {
  if (action !== "use_seed") return say("nodes_added", { what: say(`title_${action}`) });
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

function grow(add, graph) {
  const made = {};
  const { LiteGraph } = globalThis;
  for (const [key, { type, title, values }] of Object.entries(add)) {
    const node = LiteGraph.createNode(type);
    if (!node) continue;
    graph.add(node);
    if (title) node.title = say(title);
    for (const [name, value] of Object.entries(values)) put(node, name, value);
    made[key] = node;
  }
  for (const [key, { links }] of Object.entries(add))
    for (const [input, [from, slot]] of Object.entries(links))
      connect(made[from] ?? nodeAt(from), slot, made[key], input);
  if (made.sampler) put(made.sampler, "seed", Math.floor(Math.random() * 2 ** 48));
  lay(add, made, graph);
  return made;
}

function connect(from, slot, to, input) {
  const place = to?.inputs?.findIndex((one) => one.name === input);
  if (from && place >= 0) from.connect(slot, to, place);
}

// Nodes 2.0 draws a node as high as what it shows; its size follows later, if at all.
function drawnHeight(node) {
  const box = document.querySelector(`[data-node-id="${node.id}"]`)?.getBoundingClientRect();
  return box ? box.height / app.canvas.ds.scale : 0;
}

function bottomOf(node) {
  const hasToGrow = SONGS.has(typeOf(node)) && !existingPanel(node)?.height;
  return node.pos[1] + Math.max(node.size[1], drawnHeight(node)) + (hasToGrow ? ROOM : 0);
}

// In columns below all there is.
function lay(add, made, graph) {
  const own = new Set(Object.values(made));
  const there = (graph.nodes ?? graph._nodes).filter((node) => !own.has(node));
  const left = Math.min(...there.map((node) => node.pos[0]));
  const top = Math.max(...there.map(bottomOf)) + 2 * GAP;
  const columns = [];
  for (const [key, { column }] of Object.entries(add))
    if (made[key]) (columns[column] ??= []).push(made[key]);
  let x = left;
  for (const column of columns.filter(Boolean)) {
    let y = top;
    for (const node of column) {
      const [width, height] = node.computeSize();
      node.setSize([Math.max(width, 330), Math.max(height, node.size[1])]);
      node.pos = [x, y];
      y += node.size[1] + GAP;
    }
    x += Math.max(...column.map((node) => node.size[0])) + GAP;
  }
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
