// The picture on its nodes: one DOM widget, the last but for what a run shows, of a fixed height.
//   node -> its inputs and source -> Editor        what a run says of the source -> heardOf
// Whatever throws in here takes the picture away, and leaves the node's plain inputs as they are.

import { api, app, everyNode, isCanvas, say, typeOf } from "../comfy.js";
import { element, settle } from "../panel.js";
import { Editor } from "./editor.js";
import { listen } from "./gestures.js";
import { fileOf, lyricOf } from "./source.js";
import { clock } from "./time.js";
import { toolbar } from "./toolbar.js";
import { NODES, isLonger, namesOf, sourceOf } from "./values.js";

export const HEIGHT = 176; // pixels
const WIDTH = 320; // of a new node
const MARGIN = 10; // of a DOM widget on the canvas
const OFTEN = 300; // milliseconds between two looks at the node's inputs
const TEMPO = "acesuite_tempo"; // of the node's properties
const pictures = new WeakMap(); // node -> its picture
const heard = new WeakMap(); // node -> the file of its source, as a run said

const ownerOf = (graph) => everyNode().find(([, one]) => one.subgraph && one.subgraph === graph)?.[1] ?? null;

export function prepareRegions(node) {
  if (!NODES.includes(typeOf(node)) || !node.addDOMWidget) return;
  const before = node.widgets?.length ?? 0;
  try {
    pictures.set(node, new Picture(node));
  } catch (error) {
    console.error(error);
    node.widgets?.splice(before);
  }
}

// What a run says: the file that its source lies in.
export function heardOf(node, facts) {
  const source = facts.find((one) => one.source)?.source;
  if (source) heard.set(node, source);
}

class Picture {
  constructor(node) {
    this.node = node;
    this.kind = typeOf(node);
    this.canvas = element("canvas");
    this.status = element("div", "acesuite-regions-status");
    this.hint = element("div", "acesuite-regions-hint");
    this.build();
    this.observer = new ResizeObserver(() => this.safely(() => this.fit()));
    this.observer.observe(this.stage);
    this.hook();
    this.start();
  }

  build() {
    const { canvas, node, status } = this;
    canvas.tabIndex = 0;
    canvas.dataset.captureWheel = "true"; // once it has the keyboard
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", say("regions_picture"));
    canvas.title = say("regions_keys");
    status.setAttribute("role", "status");
    status.setAttribute("aria-live", "polite");
    this.editor = new Editor(canvas, this, (key, values) => this.said(key, values), () => this.update());
    this.tools = toolbar(this.editor, this);
    listen(canvas, this.editor);
    this.stage = element("div", "acesuite-regions-stage", canvas, this.hint);
    this.outer = element("div", "acesuite-regions", this.tools.bar, this.stage, status);
    // Nodes 2.0 gives it what is free, and of itself a flexible box has no height.
    for (const limit of ["minHeight", "maxHeight"]) this.outer.style[limit] = `${HEIGHT}px`;
    this.widget = node.addDOMWidget("acesuite_regions", "acesuite_regions", this.outer, {
      serialize: false,
      hideOnZoom: false,
      margin: MARGIN,
      getValue: () => "",
      setValue: () => {},
      getMinHeight: () => HEIGHT + 2 * MARGIN,
      getMaxHeight: () => HEIGHT + 2 * MARGIN,
    });
    this.widget.computeLayoutSize = undefined; // exactly as high as it is, not all that is free
    this.widget.computeSize = (width) => [width ?? 0, HEIGHT + 2 * MARGIN];
    this.widget.serialize = false; // neither in workflows nor in prompts
    this.widget.label = say(isLonger(this.kind) ? "regions_label_longer" : "regions_label"); // in App mode
  }

  hook() {
    const { node } = this;
    const after = (event, act) => {
      const before = node[event];
      node[event] = (...words) => {
        const answer = before?.apply(node, words);
        this.safely(act);
        return answer;
      };
    };
    after("onRemoved", () => this.stop());
    after("onAdded", () => this.start());
    after("onConfigure", () => queueMicrotask(() => this.grow()));
    if (node.size) node.setSize([Math.max(node.size[0], WIDTH), node.size[1]]);
    queueMicrotask(() => this.grow());
  }

  start() {
    if (this.timer || this.isBroken) return;
    this.timer = setInterval(() => this.safely(() => this.look()), OFTEN);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.editor.close();
  }

  // Saved before there was a picture, a node is too low for it.
  grow() {
    const { node } = this;
    if (!isCanvas() || !node.size) return;
    const [width, height] = node.computeSize();
    if (node.size[1] < height) node.setSize([Math.max(node.size[0], width), height]);
  }

  safely(act) {
    try {
      act();
    } catch (error) {
      console.error(error);
      this.broken();
    }
  }

  broken() {
    if (this.isBroken) return;
    this.isBroken = true;
    clearInterval(this.timer);
    this.observer.disconnect();
    this.outer.replaceChildren(element("p", "acesuite-regions-broken", say("regions_broken")));
  }

  look() {
    if (!settle(this.node, this.outer)) {
      this.editor.player.stop();
      return;
    }
    this.fit();
    this.editor.refresh();
    this.readLyric();
    this.update();
  }

  fit() {
    const { clientWidth, clientHeight } = this.stage;
    const ratio = Math.min(Math.max(globalThis.devicePixelRatio || 1, 1) * Math.max(app.canvas?.ds?.scale ?? 1, 1), 3);
    if (clientWidth && clientHeight) this.editor.resize(clientWidth, clientHeight, ratio);
  }

  async readLyric() {
    const lyric = lyricOf(this.node, ownerOf);
    const text = JSON.stringify(lyric);
    if (text === this.lyric) return;
    this.lyric = text;
    let sections = [];
    if (lyric) {
      const answer = await api.fetchApi("/acestepsuite/sections", { method: "POST", body: text }).catch(() => null);
      if (answer?.ok) sections = await answer.json();
    }
    if (this.lyric === text) this.safely(() => this.editor.sectioned(sections));
  }

  // --- the node, as its editor asks for it -------------------------------------------------

  values() {
    return Object.fromEntries(namesOf(this.kind).map((name) => [name, this.widgetOf(name)?.value]));
  }

  widgetOf(name) {
    return this.node.widgets?.find((one) => one.name === name);
  }

  put(values) {
    for (const [name, value] of Object.entries(values)) {
      const widget = this.widgetOf(name);
      if (!widget || widget.value === value) continue;
      const { max } = widget.options ?? {};
      widget.value = typeof value === "number" && max < value ? max : value;
      widget.callback?.(widget.value);
    }
    this.node.setDirtyCanvas?.(true, true);
    app.extensionManager?.workflow?.activeWorkflow?.changeTracker?.checkState?.();
  }

  // What comes through a link is not the picture's to change.
  isLocked() {
    const names = new Set([...namesOf(this.kind), "mask"]);
    return Boolean(this.node.inputs?.some((one) => one.link != null && names.has(one.widget?.name ?? one.name)));
  }

  file() {
    const file = fileOf(this.node, sourceOf(this.kind), ownerOf);
    return file === "" ? (heard.get(this.node) ?? "") : file;
  }

  tempo() {
    return Number(this.node.properties?.[TEMPO]) || 0;
  }

  setTempo(tempo) {
    this.node.properties ??= {};
    if (tempo) this.node.properties[TEMPO] = tempo;
    else delete this.node.properties[TEMPO];
  }

  // --- what it says ------------------------------------------------------------------------

  said(key, values) {
    const known = values ? { ...values, start: clock(values.start), end: clock(values.end) } : {};
    this.status.textContent = say(key, known);
    this.isSaid = true;
  }

  update() {
    this.tools?.follow();
    const hint = this.hintOf();
    if (this.hint.textContent !== hint) this.hint.textContent = hint;
    const { editor, status } = this;
    const text = this.statusOf(editor);
    if (text !== this.text) status.textContent = this.text = text;
  }

  hintOf() {
    const { editor } = this;
    if (editor.file === null || editor.file === undefined) return say("regions_connect", { name: sourceOf(this.kind) });
    if (editor.file === "") return say("regions_run_once");
    if (editor.outline?.error) return editor.outline.error;
    return editor.outline?.state ? "" : say("regions_reading");
  }

  statusOf(editor) {
    if (!editor.seconds) return "";
    if (editor.wrong) return say("regions_wrong", { text: editor.wrong });
    const parts = [];
    const at = editor.chosenPlace;
    if (editor.added) parts.push(say("regions_longer", editor.added));
    else if (editor.isLocked) parts.push(say("regions_locked"));
    else if (at) parts.push(say("regions_chosen", { number: editor.chosen + 1, start: clock(at.start), end: clock(at.end) }));
    else parts.push(say(editor.regions.length ? "regions_outside" : "regions_whole"));
    if (!editor.outline.finished)
      parts.push(say("regions_read", { share: Math.round((100 * editor.outline.done) / editor.seconds) }));
    return parts.join(" · ");
  }
}
